#include "app/daemon.h"

#include <link.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <stdexcept>

#include "app/admin_client.h"
#include "app/cloud.h"
#include "app/ending_process.h"
#include "core/log.h"

#if __has_feature(address_sanitizer)
#include <sanitizer/lsan_interface.h>
#endif

namespace brume::app {
namespace {

// A result that one thread waits for and another gives.
class Outcome {
 public:
  void give(std::string text) {
    std::lock_guard lock(mutex_);
    text_ = std::move(text);
    there_.notify_all();
  }
  std::string wait() {
    std::unique_lock lock(mutex_);
    there_.wait(lock, [this] { return text_.has_value(); });
    return *text_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable there_;
  std::optional<std::string> text_;
};

// Blocked before any thread is made, so that only sigwait sees them.
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  return signals;
}

// What only the start read or ran goes back to the page cache: it is clean, and comes again when it is wanted. Half of
// an idle daemon's resident memory was such.
void return_start_pages() {
  const auto visit = [](dl_phdr_info* object, std::size_t, void*) {
    const auto page = static_cast<ElfW(Addr)>(::sysconf(_SC_PAGESIZE));
    for (int i = 0; i < object->dlpi_phnum; ++i) {
      const ElfW(Phdr)& segment = object->dlpi_phdr[i];
      // What can be written to, the relocated tables too, is nowhere else.
      if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
      const ElfW(Addr) begin = (object->dlpi_addr + segment.p_vaddr) & ~(page - 1);
      const ElfW(Addr) end = (object->dlpi_addr + segment.p_vaddr + segment.p_memsz) & ~(page - 1);
      // NOLINTNEXTLINE(performance-no-int-to-ptr): the loader tells addresses as numbers
      if (end > begin) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
    }
    return 0;
  };
  dl_iterate_phdr(visit, nullptr);
}

void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int run_daemon(const UpOptions& options, const Instance& instance,
               const std::function<void(const std::string&)>& started) {
  const sigset_t signals = block_signals();
  raise_file_limit();
  log::set_file(instance.log_file());
  std::unique_ptr<Cloud> cloud;
  try {
    cloud = std::make_unique<Cloud>(options, instance);
  } catch (const std::exception& error) {
    started(error.what());
    return 1;
  }
  Outcome outcome;
  cloud->admin.on_exit = [] { kill(getpid(), SIGTERM); };
  cloud->start([&](std::string problem) { outcome.give(std::move(problem)); });
  const std::string problem = outcome.wait();
  started(problem);
  if (problem.empty()) {
    log::info("cloud", "serving on port " + std::to_string(cloud->port()));
    return_start_pages();
    int signal = 0;
    sigwait(&signals, &signal);
  }
  cloud->stop();
  try {
    cloud->store->sync();
  } catch (const StoreError& error) {
    log::error("cloud", error.message);
  }
  std::filesystem::remove(instance.admin_socket());
  log::info("cloud", "the daemon ended");
#if __has_feature(address_sanitizer)
  __lsan_do_leak_check();  // which an _exit passes by
#endif
  // What still waits for answers of planes is in no hurry to be destroyed: the process ends here.
  _exit(problem.empty() ? 0 : 1);
}

namespace {

void end_daemon(const Instance& instance) {
  const pid_t pid = admin_process(instance);
  if (pid == 0) return;
  // The daemon's socket goes before it does, and a large process takes a while to give its memory back: only then are
  // its files closed, the store's lock and the input of each `nft -i`, which holds a namespace until it sees that.
  EndingProcess daemon(pid);
  admin_call(instance, "POST", "/exit");  // unanswered: it is ending already
  if (!daemon.wait_for_end(std::chrono::seconds(10)))
    throw std::runtime_error("the daemon does not end; see " + instance.log_file());
}

}  // namespace

void stop_instance(const Instance& instance) {
  block_signals();
  end_daemon(instance);
  SystemClock clock;
  ControlLoop control(clock);
  network::prepare_run_directory(instance.run);
  auto keeper = make_keeper_client(
      {.run_directory = instance.run, .state_directory = instance.state + "/keeper", .cgroup = "/brume/" + instance.id},
      control);
  auto network = network::make_network({.run_directory = instance.run, .instance_id = instance.id}, *keeper, control);
  Outcome outcome;
  bool begun = false;
  std::optional<EndingProcess> keeper_process;
  keeper->on_connected([&](const KeeperClient::Connected& state) {
    if (std::exchange(begun, true)) return;
    if (state.pid == 0) return outcome.give("the keeper cannot be reached: " + state.error);
    keeper_process.emplace(state.pid);
    network->recover([&](const std::string&) {
      network->remove_all(
          [&](const std::string& problem) { keeper->shut_down([&, problem] { outcome.give(problem); }); });
    });
  });
  control.start();
  const std::string problem = outcome.wait();
  control.stop();
  network.reset();
  keeper.reset();
  if (!problem.empty()) throw std::runtime_error(problem);
  if (!keeper_process->wait_for_end(std::chrono::seconds(10)))
    throw std::runtime_error("the keeper does not end; see " + instance.log_file());
  std::filesystem::remove_all(instance.run);
}

}  // namespace brume::app

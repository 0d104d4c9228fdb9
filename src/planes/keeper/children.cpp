#include "planes/keeper/children.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <utility>

#include "core/fault.h"
#include "core/log.h"
#include "core/text.h"
#include "core/time.h"

namespace brume::keeper {
namespace {

constexpr std::size_t kErrorBytes = 8192;          // of a starting program's standard error
constexpr std::size_t kInputBytes = 64ULL << 20U;  // waiting for a program that does not read
constexpr int kReadsPerEvent = 4;                  // so that one flooding child does not starve the others
constexpr int kReadsPerDrain = 32;                 // a dead child's pipe holds 64 KiB; a grandchild may go on

ExitStatus exit_status(int wait_status) {
  ExitStatus exit;
  exit.at_ms = now_ms();
  if (WIFEXITED(wait_status)) exit.code = WEXITSTATUS(wait_status);
  if (WIFSIGNALED(wait_status)) exit.signal = WTERMSIG(wait_status);
  return exit;
}

std::string how_it_ended(int wait_status) {
  const ExitStatus exit = exit_status(wait_status);
  return exit.signal != 0 ? "ended by signal " + std::to_string(exit.signal)
                          : "ended with code " + std::to_string(exit.code);
}

pid_t read_pid(const std::string& path) {
  std::ifstream file(path);
  pid_t pid = 0;
  file >> pid;
  return pid;
}

}  // namespace

std::int64_t now_ms() { return SystemClock().now().ms; }

Children::Entry* Children::find(const std::string& id) {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : found->second.get();
}

void Children::spawn(const SpawnSpec& spec, Reply reply) {
  if (const Entry* existing = find(spec.id)) {
    reply({0, "a child " + spec.id + (existing->child.running ? " is running" : " has ended and is not forgotten")});
    return;
  }
  ProcessSpec process_spec{
      spec.arguments,  spec.environment,          spec.directory, spec.network_namespace, spec.uid,
      spec.gid,        spec.ambient_capabilities, spec.binds,     spec.input_pipe,        spec.output,
      spec.output_file};
  if (!spec.pid_file.empty()) ::unlink(spec.pid_file.c_str());
  Process process = start_process(process_spec, [this](pid_t pid) { registry_.add(pid); });
  if (process.pid == 0) {
    reply({0, process.error});
    return;
  }
  auto owned = std::make_unique<Entry>();
  Entry& entry = *owned;
  entries_[spec.id] = std::move(owned);
  entry.child = {spec.id, spec.owner, process.pid, true, {}, now_ms()};
  entry.input = std::move(process.input);
  entry.feed = &outbox_.open(spec.id);
  entry.outputs[1].stream = Stream::err;
  watch_output(entry, entry.outputs[0], std::move(process.output));
  watch_output(entry, entry.outputs[1], std::move(process.err));
  if (spec.pid_file.empty()) {
    reply({process.pid, ""});
    return;
  }
  entry.pid_file = spec.pid_file;
  entry.starting = true;
  entry.program = process.pid;
  entry.reply = std::move(reply);
  entry.feed->hold();
}

void Children::watch_output(Entry& entry, Output& output, Descriptor pipe) {
  if (!pipe) return;
  output.pipe = std::move(pipe);
  output.token =
      poller_.add(output.pipe.get(), EPOLLIN, [this, &entry, &output](std::uint32_t) { read_output(entry, output); });
}

void Children::emit(Entry& entry, Stream stream, std::string_view line) {
  if (entry.starting && stream == Stream::err && entry.program_errors.size() < kErrorBytes) {
    entry.program_errors.append(line.substr(0, kErrorBytes)).append("\n");
  }
  entry.feed->append(stream, now_ms(), line);
}

void Children::read_output(Entry& entry, Output& output) {
  std::array<char, 65'536> buffer;
  const auto line = [&](std::string_view text) { emit(entry, output.stream, text); };
  for (int i = 0; i < kReadsPerEvent && output.pipe; ++i) {
    const ssize_t got = ::read(output.pipe.get(), buffer.data(), buffer.size());
    if (got > 0) {
      output.cutter.feed({buffer.data(), static_cast<std::size_t>(got)}, line);
    } else if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
      return;
    } else {
      output.cutter.finish(line);
      poller_.remove(output.token);
      output.pipe.reset();
    }
  }
}

// Takes in what an ended child has written, so that its lines come before its exit.
void Children::drain(Entry& entry) {
  for (Output& output : entry.outputs) {
    for (int i = 0; i < kReadsPerDrain / kReadsPerEvent; ++i) read_output(entry, output);
  }
}

// The last line may have no end.
void Children::finish_lines(Entry& entry) {
  for (Output& output : entry.outputs) {
    output.cutter.finish([&](std::string_view text) { emit(entry, output.stream, text); });
  }
}

void Children::signal(const std::string& id, int signal) {
  Entry* entry = find(id);
  if (entry == nullptr || !entry->child.running) return;
  if (entry->starting) {
    entry->early_stop = EarlyStop{signal, -1};
    return;
  }
  ::kill(entry->child.pid, signal);  // not reaped yet, so the pid is still this child's
}

void Children::stop(const std::string& id, int signal, std::int64_t grace_ms) {
  Entry* entry = find(id);
  if (entry == nullptr || !entry->child.running) return;
  if (entry->starting) {
    entry->early_stop = EarlyStop{signal, grace_ms};
    return;
  }
  ::kill(entry->child.pid, signal);
  if (entry->kill_timer != 0) return;  // an earlier stop's deadline stays
  entry->kill_timer = poller_.after(std::chrono::milliseconds(grace_ms), [entry] {
    entry->kill_timer = 0;
    ::kill(entry->child.pid, SIGKILL);
  });
}

void Children::write_input(const std::string& id, std::string_view bytes) {
  Entry* entry = find(id);
  if (entry == nullptr || !entry->input) return;
  if (entry->input_queue.size() + bytes.size() > kInputBytes) {
    log::error("keeper", id + " does not read its input; it is closed");
    close_input(*entry);
    return;
  }
  entry->input_queue.append(bytes);
  if (entry->input_token == 0) flush_input(*entry);
}

void Children::flush_input(Entry& entry) {
  std::size_t done = 0;
  while (done < entry.input_queue.size()) {
    const ssize_t written =
        ::write(entry.input.get(), entry.input_queue.data() + done, entry.input_queue.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EAGAIN) break;
    if (written < 0) return close_input(entry);
    done += static_cast<std::size_t>(written);
  }
  entry.input_queue.erase(0, done);
  if (!entry.input_queue.empty() && entry.input_token == 0) {
    entry.input_token = poller_.add(entry.input.get(), EPOLLOUT, [this, &entry](std::uint32_t) { flush_input(entry); });
  } else if (entry.input_queue.empty() && entry.input_token != 0) {
    poller_.remove(std::exchange(entry.input_token, 0));
  }
}

void Children::close_input(Entry& entry) {
  poller_.remove(std::exchange(entry.input_token, 0));
  entry.input.reset();
  entry.input_queue.clear();
}

void Children::forget(const std::string& id) {
  const Entry* entry = find(id);
  if (entry != nullptr && !entry->child.running) remove(id);
}

void Children::remove(const std::string& id) {
  Entry& entry = *entries_.at(id);
  for (Output& output : entry.outputs) poller_.remove(output.token);
  close_input(entry);
  poller_.cancel(entry.kill_timer);
  outbox_.close(id);
  entries_.erase(id);
}

std::vector<Child> Children::list() {
  std::vector<Child> children;
  for (const auto& [id, entry] : entries_) {
    children.push_back(entry->child);
    entry->listed_starting = entry->starting;
  }
  return children;
}

void Children::reaped(pid_t pid, int wait_status) {
  registry_.remove(pid);
  const bool any_starting = std::ranges::any_of(entries_, [](const auto& item) { return item.second->starting; });
  for (auto& [id, entry] : entries_) {
    if (entry->starting && entry->program == pid) return program_ended(*entry, wait_status);
    if (!entry->starting && entry->child.running && entry->child.pid == pid) return ended(*entry, wait_status);
  }
  if (any_starting) {
    unclaimed_[pid] = wait_status;
  } else {
    unclaimed_.clear();
  }
}

void Children::program_ended(Entry& entry, int wait_status) {
  drain(entry);
  const Reply reply = std::move(entry.reply);
  const pid_t pid = wait_status == 0 ? read_pid(entry.pid_file) : 0;
  fault_point("keeper.left");
  if (pid <= 0) {
    finish_lines(entry);  // not otherwise: the process that was left behind may be in the middle of one
    std::string error(trim(entry.program_errors));
    if (error.empty()) error = how_it_ended(wait_status) + (wait_status == 0 ? ", but named no process" : "");
    const std::string id = entry.child.id;
    if (reply({0, error}) || !entry.listed_starting) return remove(id);
    // For a later daemon, which found it running, it has ended; what the program said was not the child's.
    outbox_.close(id);
    entry.feed = &outbox_.open(id);
    entry.starting = false;
    return ended(entry, wait_status);
  }
  entry.starting = false;
  entry.child.pid = pid;
  registry_.add(pid);
  entry.feed->let_go();
  reply({pid, ""});
  if (const auto gone = unclaimed_.extract(pid); !gone.empty()) return ended(entry, gone.mapped());
  if (const auto early = std::exchange(entry.early_stop, std::nullopt)) {
    if (early->grace_ms < 0) return signal(entry.child.id, early->signal);
    stop(entry.child.id, early->signal, early->grace_ms);
  }
}

void Children::ended(Entry& entry, int wait_status) {
  fault_point("keeper.reaped");
  drain(entry);
  finish_lines(entry);
  registry_.remove(entry.child.pid);
  poller_.cancel(std::exchange(entry.kill_timer, 0));
  close_input(entry);
  entry.child.running = false;
  entry.child.exit = exit_status(wait_status);
  entry.feed->end(entry.child);
}

void Children::kill_all() {
  for (const auto& [id, entry] : entries_) {
    if (!entry->child.running) continue;
    // The group too: a master's workers are in it.
    ::kill(-entry->child.pid, SIGKILL);
    ::kill(entry->child.pid, SIGKILL);
  }
}

bool Children::any_running() const {
  return std::ranges::any_of(entries_, [](const auto& item) { return item.second->child.running; });
}

}  // namespace brume::keeper

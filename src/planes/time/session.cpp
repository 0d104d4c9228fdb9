#include "planes/time/session.h"

#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "planes/time/vdso_code.h"

namespace brume::time {
namespace {

constexpr int kSystemCallStop = SIGTRAP | 0x80;
constexpr std::uintptr_t kOptions = PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                                    PTRACE_O_TRACEEXEC | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD;
// Changes that come one upon the other, as an advance's steps do, are taken together.
constexpr std::chrono::milliseconds kGather{3};

std::atomic<bool> page_turned = false;
void wake_up(int) {}

pid_t own_thread() { return static_cast<pid_t>(::syscall(SYS_gettid)); }

// Tells the main thread, in its waitpid, of changes of the page: until it has seen each, since a signal before the call
// is lost.
void watch_page(const PageView& page, pid_t main_thread) {
  std::uint32_t seen = page.sequence();
  while (true) {
    ::syscall(SYS_futex, &page.page().sequence, FUTEX_WAIT, seen, nullptr, nullptr, 0);
    if (page.sequence() == seen) continue;
    std::this_thread::sleep_for(kGather);
    seen = page.sequence();
    page_turned = true;
    while (page_turned) {
      ::syscall(SYS_tgkill, ::getpid(), main_thread, SIGUSR1);
      std::this_thread::sleep_for(kGather);
    }
  }
}

bool is_stop_signal(int signal) {
  return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

}  // namespace

Session::Session(PagePaths paths) : paths_(std::move(paths)), page_(paths_.page) {}

bool Session::seize(pid_t process) {
  if (::ptrace(PTRACE_SEIZE, process, nullptr, kOptions) != 0) return false;
  processes_[process];
  add(process, process);
  return true;
}

void Session::run() {
  struct sigaction action{};
  action.sa_handler = wake_up;  // without SA_RESTART: waitpid returns
  ::sigaction(SIGUSR1, &action, nullptr);
  std::thread([this, main_thread = own_thread()] { watch_page(page_, main_thread); }).detach();
  while (!threads_.empty() || !early_.empty()) {
    int status = 0;
    const pid_t tid = ::waitpid(-1, &status, __WALL);
    if (tid > 0) handle(tid, status);
    if (tid < 0 && errno == ECHILD) return;
    if (page_turned) {
      turned();
      page_turned = false;
    }
  }
}

Session::Thread& Session::add(pid_t tid, pid_t process) {
  Thread& thread = threads_[tid];
  thread.process = process;
  if (free_slots_.empty()) {
    thread.slot = next_slot_++;
  } else {
    thread.slot = *free_slots_.begin();
    free_slots_.erase(free_slots_.begin());
  }
  return thread;
}

void Session::remove(pid_t tid) {
  const auto found = threads_.find(tid);
  if (found == threads_.end()) return;
  free_slots_.insert(found->second.slot);
  const pid_t process = found->second.process;
  threads_.erase(found);
  for (const auto& [other, thread] : threads_)
    if (thread.process == process) return;
  processes_.erase(process);
}

void Session::resume(pid_t tid, int request, int signal) {
  ::ptrace(static_cast<__ptrace_request>(request), tid, nullptr, static_cast<std::uintptr_t>(signal));
}

void Session::handle(pid_t tid, int status) {
  if (WIFEXITED(status) || WIFSIGNALED(status)) return ended(tid);
  if (WIFSTOPPED(status)) stopped(tid, status);
}

void Session::ended(pid_t tid) {
  early_.erase(tid);
  remove(tid);
  // A parent that was killed before it told of a child will not: the child must not stay stopped. It waits in real
  // time.
  for (const pid_t child : std::exchange(early_, {})) {
    const pid_t process = process_of(child);
    if (process != 0) {
      processes_[process];
      add(child, process);
    }
    resume(child, PTRACE_CONT);
  }
}

void Session::stopped(pid_t tid, int status) {
  const int signal = WSTOPSIG(status), event = status >> 16;
  if (!threads_.contains(tid)) {
    early_.insert(tid);
    return;
  }
  // Any stop takes the place of one that was asked for.
  Thread& thread = threads_.at(tid);
  const bool is_asked_for = event == PTRACE_EVENT_STOP || signal == kSystemCallStop;
  if (!is_asked_for && std::exchange(thread.is_kicked, false) && processes_[thread.process].has_to_rearm)
    thread.is_kicked = ::ptrace(PTRACE_INTERRUPT, tid, nullptr, nullptr) == 0;
  if (event != 0) return stopped_by_event(tid, event, signal);
  if (signal == kSystemCallStop) return finished(tid);
  signalled(tid, signal);
}

void Session::stopped_by_event(pid_t tid, int event, int signal) {
  switch (event) {
    case PTRACE_EVENT_SECCOMP:
      return called(tid);
    case PTRACE_EVENT_EXEC:
      return executed(tid);
    case PTRACE_EVENT_CLONE:
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
      born(tid);
      break;
    case PTRACE_EVENT_STOP:
      if (is_stop_signal(signal)) return resume(tid, PTRACE_LISTEN);  // stopped for everyone, not only for us
      interrupted(tid);
      break;
    default:
      break;
  }
  resume(tid, PTRACE_CONT);
}

void Session::born(pid_t parent) {
  unsigned long message = 0;
  ::ptrace(PTRACE_GETEVENTMSG, parent, nullptr, &message);
  const auto child = static_cast<pid_t>(message);
  const pid_t process = process_of(child);
  const pid_t parent_process = threads_.at(parent).process;
  if (process == 0) return;  // killed already
  add(child, process);
  if (process != parent_process) {
    const Process& from = processes_[parent_process];
    Process& to = processes_[process];
    to.image = from.image;
    to.has_own_filter = from.has_own_filter;
  }
  if (early_.erase(child) != 0) resume(child, PTRACE_CONT);
}

// Another program: the other threads are gone, and the one that called has the process's id now.
void Session::executed(pid_t tid) {
  unsigned long message = 0;
  ::ptrace(PTRACE_GETEVENTMSG, tid, nullptr, &message);
  const pid_t process = threads_.at(tid).process;
  std::vector<pid_t> gone;
  for (const auto& [other, thread] : threads_)
    if (thread.process == process && other != tid) gone.push_back(other);
  for (const pid_t other : gone) remove(other);
  Thread& thread = threads_.at(tid);
  thread = {.process = process, .slot = thread.slot, .expect = Expect::exec_end};
  processes_[process].image = {};
  processes_[process].timers.after_exec();
  // Registers that are set now are overwritten by exec's own result: at its end they stay.
  resume(tid, PTRACE_SYSCALL);
}

void Session::executed_to_the_end(pid_t tid) {
  Thread& thread = threads_.at(tid);
  thread.expect = Expect::nothing;
  ToolImage& image = processes_[thread.process].image;
  if (!is_to_follow(tid)) return resume(tid, PTRACE_CONT);
  const PutImage put = put_image(tid, paths_.inside.empty() ? paths_.page : paths_.inside);
  if (put.death) return handle(tid, *put.death);
  image = put.image;
  if (!put.problem.empty()) complain(tid, put.problem);
  resume(tid, PTRACE_CONT);
}

bool Session::is_to_follow(pid_t tid) const {
  return paths_.inside.empty() || mounts_of(tid) != mounts_of(own_thread());
}

void Session::complain(pid_t tid, const std::string& why) {
  if (std::exchange(has_complained_, true)) return;
  say_to(tid, "brume: " + why + ": this tool keeps the machine's clock (docs/user/time.md)\n");
}

std::uint64_t Session::slot_of(const Thread& thread, const Process& process) const {
  return process.image.slots + thread.slot * kSlotBytes;
}

// What a tool does to itself or another that whoever follows it has to know of; none of it is changed. True: it was
// such.
bool Session::note(pid_t tid, Process& process, const Call& call) {
  const bool is_prctl = call.number == SYS_prctl && call.arguments[0] == PR_SET_SECCOMP;
  if (is_prctl || (call.number == SYS_seccomp && call.arguments[0] == SECCOMP_SET_MODE_FILTER)) {
    // What begins a container (runc) installs the container's, which allows all that a call is rewritten to.
    process.has_own_filter = process.has_own_filter || process.image.is_followed;
    return true;
  }
  if (call.number != SYS_ptrace) return false;
  if (process.image.is_followed && !std::exchange(has_told_of_debuggers_, true))
    say_to(tid,
           "brume: a debugger cannot trace what follows the cloud's clock; brume exec --real lets it "
           "(docs/user/time.md)\n");
  return true;
}

// The beginning of a call that the filter names.
void Session::called(pid_t tid) {
  Thread& thread = threads_.at(tid);
  Process& process = processes_[thread.process];
  user_regs_struct registers{};
  if (!read_registers(tid, registers)) return;
  thread.rewound_result.reset();
  const auto number = static_cast<long>(registers.orig_rax);
  if (number == SYS_clone) {
    registers.rdi &= ~static_cast<unsigned long long>(CLONE_UNTRACED);
    write_registers(tid, registers);
    return resume(tid, PTRACE_CONT);
  }
  if (note(tid, process, call_of(registers))) return resume(tid, PTRACE_CONT);
  if (!process.image.is_followed || thread.slot >= kSlots || answer_clock(tid, process, registers))
    return resume(tid, PTRACE_CONT);
  if (is_timer_call(number)) {
    thread.turn = page_.sequence();
    if (!process.timers.begin(tid, page_, slot_of(thread, process), registers, thread.timer))
      return resume(tid, PTRACE_CONT);
    thread.expect = Expect::timer_end;
  } else {
    if (!begin_wait(tid, thread, process, registers)) return resume(tid, PTRACE_CONT);
    thread.expect = Expect::wait_end;
  }
  write_registers(tid, registers);
  resume(tid, PTRACE_SYSCALL);
}

// The end of a call whose end was asked for.
void Session::finished(pid_t tid) {
  Thread& thread = threads_.at(tid);
  const Expect expected = std::exchange(thread.expect, Expect::nothing);
  if (expected == Expect::exec_end) return executed_to_the_end(tid);
  Process& process = processes_[thread.process];
  if (expected == Expect::wait_end) {
    // First: a timer that rings at once is a signal that ends the wait.
    if (std::exchange(process.has_to_rearm, false)) {
      rearm(tid, process, RemoteCalls::Interrupted::as_found);
      if (!threads_.contains(tid)) return;
      thread.is_kicked = true;
    }
    end_wait(tid, thread);
    thread.is_kicked = false;
  }
  if (expected == Expect::timer_end) {
    user_regs_struct registers{};
    if (read_registers(tid, registers)) {
      process.timers.end(tid, registers, thread.timer);
      write_registers(tid, registers);
    }
    if (page_.sequence() != thread.turn) {
      process.timers.rearm_files(thread.process, page_);
      rearm(tid, process);
    }
  }
  if (threads_.contains(tid)) resume(tid, PTRACE_CONT);
}

// A signal is about to be delivered, or ignored: a traced thread is told of both.
void Session::signalled(pid_t tid, int signal) {
  Thread& thread = threads_.at(tid);
  const SignalSets signals = signals_of(tid);
  user_regs_struct registers{};
  if (signals.is_caught(signal)) {
    const auto result = std::exchange(thread.rewound_result, std::nullopt);
    if (result && thread.resumed && read_registers(tid, registers) &&
        registers.rax == static_cast<unsigned long long>(thread.resumed->call.number)) {
      const Wait& wait = *thread.resumed;
      unrewind(registers, wait.call.number, *result);
      write_registers(tid, registers);
      if (wait.time_out.rest) write_rest(tid, wait);
    }
    thread.resumed.reset();
  }
  // Untraced, an ignored signal would not have ended the call.
  if (signals.is_ignored(signal) && read_registers(tid, registers) &&
      static_cast<std::int64_t>(registers.rax) == -EINTR && is_never_restarted(static_cast<long>(registers.orig_rax))) {
    rewind(registers, static_cast<long>(registers.orig_rax));
    write_registers(tid, registers);
  }
  resume(tid, PTRACE_CONT, signal);
}

// A stop that was asked for with PTRACE_INTERRUPT, after the call it ended; or a new thread's first.
void Session::interrupted(pid_t tid) {
  Thread& thread = threads_.at(tid);
  thread.is_kicked = false;
  Process& process = processes_[thread.process];
  if (process.has_to_rearm) {
    process.has_to_rearm = false;
    rearm(tid, process);
    return;
  }
  user_regs_struct registers{};
  if (read_registers(tid, registers) && static_cast<std::int64_t>(registers.rax) == -EINTR &&
      is_never_restarted(static_cast<long>(registers.orig_rax)) && !signals_of(tid).has_unblocked()) {
    rewind(registers, static_cast<long>(registers.orig_rax));
    write_registers(tid, registers);
  }
}

}  // namespace brume::time

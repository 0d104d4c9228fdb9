// A session's waits: how a thread's time-out becomes the machine's, how it ends, and what happens when the clock is
// turned.
#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#include <algorithm>

#include "planes/time/session.h"

namespace brume::time {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
// Shorter naps, by the machine's clock, cost less than their rewriting. Go's scheduler naps for up to ten milliseconds,
// and nothing of a program waits for it: its timers are waits of other kinds.
constexpr std::int64_t kShortNap = 100'000, kGoNap = 10'000'000;
// A time-out that comes earlier than this, by the machine's clock, was the old speed's.
constexpr std::int64_t kEarly = 50'000;
// The kernel's inner results (include/linux/errno.h).
constexpr std::int64_t kRestartNoHand = -514, kRestartBlock = -516;

void put(timespec& time, std::int64_t ns) {
  time.tv_sec = ns / kSecond;
  time.tv_nsec = ns % kSecond;
}

std::int64_t machine_now(clockid_t which) {
  timespec time{};
  ::clock_gettime(which, &time);
  return time.tv_sec * kSecond + time.tv_nsec;
}

}  // namespace

// Clocks that are read without the vDSO: by programs that have their own system calls, or none of the kernel's vDSO.
bool Session::answer_clock(pid_t tid, Process& process, user_regs_struct& registers) {
  const Call call = call_of(registers);
  if (call.number != SYS_clock_gettime && call.number != SYS_gettimeofday && call.number != SYS_time) return false;
  // The kernel's own vDSO asks for itself where it cannot read the machine's clock: our code asked it for that clock.
  const std::uint64_t from = registers.rip - process.image.kernel_vdso;
  if (page_.is_machine_time() || from < process.image.vdso_size) return true;
  CloudClockName which = CloudClockName::realtime;
  const auto clock = static_cast<std::int32_t>(call.arguments[0]);
  if (call.number == SYS_clock_gettime) {
    if (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE) which = CloudClockName::monotonic;
    if (clock == CLOCK_BOOTTIME || clock == CLOCK_BOOTTIME_ALARM) which = CloudClockName::boottime;
    if (clock == CLOCK_MONOTONIC_RAW) which = CloudClockName::monotonic_raw;
  }
  const std::int64_t ns = page_.now(which);
  timespec time{};
  put(time, ns);
  if (call.number == SYS_gettimeofday) time.tv_nsec /= 1000;
  const std::uint64_t to = call.arguments[call.number == SYS_clock_gettime ? 1 : 0];
  const std::size_t size = call.number == SYS_time ? sizeof(time_t) : sizeof time;
  const bool is_written = to == 0 || write_memory(tid, to, &time, size);
  if (!is_written) return true;  // the kernel says EFAULT
  if (call.number == SYS_gettimeofday && call.arguments[1] != 0) {
    const struct timezone zone{};
    write_memory(tid, call.arguments[1], &zone, sizeof zone);
  }
  registers.orig_rax = ~0ULL;  // not made: answered
  registers.rax = call.number == SYS_time ? static_cast<unsigned long long>(time.tv_sec) : 0;
  write_registers(tid, registers);
  return true;
}

// When the wait ends, by the cloud's CLOCK_MONOTONIC. nullopt: at once, too soon to matter, or never understood.
std::optional<std::int64_t> Session::deadline_of(pid_t tid, const Wait& wait, bool is_go) const {
  const std::uint64_t argument = wait.call.arguments[wait.time_out.argument];
  const std::int64_t now = page_.now(CloudClockName::monotonic);
  if (wait.time_out.form == TimeOut::Form::milliseconds) {
    const auto ms = static_cast<std::int32_t>(argument);
    return ms > 0 ? std::optional(now + ms * std::int64_t{1'000'000}) : std::nullopt;
  }
  timespec time{};
  if (!read_memory(tid, argument, &time, sizeof time)) return std::nullopt;
  if (wait.time_out.form == TimeOut::Form::timeval) time.tv_nsec *= 1000;
  if (time.tv_sec < 0 || time.tv_nsec < 0 || (time.tv_nsec >= kSecond && wait.time_out.form != TimeOut::Form::timeval))
    return std::nullopt;
  constexpr std::int64_t kLongest = 8'000'000'000;  // seconds that nanoseconds can say
  const std::int64_t value = std::min<std::int64_t>(time.tv_sec, kLongest) * kSecond + time.tv_nsec;
  if (wait.time_out.is_absolute) {
    const std::int64_t clock =
        page_.now(wait.time_out.by_calendar ? CloudClockName::realtime : CloudClockName::monotonic);
    return now + (value - clock);
  }
  const std::int64_t nap = is_go && wait.call.number == SYS_nanosleep ? kGoNap : kShortNap;
  if (value <= nap && page_.rate() >= kRealRate) return std::nullopt;
  return now + std::min(value, INT64_MAX - now);
}

bool Session::write_time_out(pid_t tid, Rewritten& rewritten, std::size_t argument, std::uint64_t slot,
                             std::int64_t deadline) const {
  std::int64_t machine = machine_span(deadline - page_.now(CloudClockName::monotonic), page_.rate());
  if (rewritten.form == SlotForm::milliseconds) {
    constexpr std::int64_t kMillisecond = 1'000'000;
    const std::int64_t ms = machine / kMillisecond + (machine % kMillisecond != 0 ? 1 : 0);
    rewritten.call.arguments[argument] = static_cast<std::uint64_t>(std::min<std::int64_t>(ms, INT32_MAX));
    return true;
  }
  if (rewritten.form == SlotForm::absolute) machine += machine_now(CLOCK_MONOTONIC);
  if (rewritten.form == SlotForm::calendar) machine += machine_now(CLOCK_REALTIME);
  if (rewritten.form == SlotForm::timeval) machine += 999;
  timespec time{};
  put(time, machine);
  if (rewritten.form == SlotForm::timeval) time.tv_nsec /= 1000;
  return write_memory(tid, slot, &time, sizeof time);
}

bool Session::begin_wait(pid_t tid, Thread& thread, const Process& process, user_regs_struct& registers) {
  Wait wait{.call = call_of(registers)};
  const auto time_out = time_out_of(wait.call);
  if (!time_out) return false;
  wait.time_out = *time_out;
  if (thread.resumed && thread.resumed->call == wait.call) {
    wait.deadline = thread.resumed->deadline;
  } else {
    const auto deadline = deadline_of(tid, wait, process.image.is_go);
    if (!deadline) return false;
    wait.deadline = *deadline;
  }
  thread.resumed.reset();
  const std::uint64_t slot = slot_of(thread, process);
  Rewritten rewritten = process.has_own_filter ? rewrite_in_kind(wait.call, wait.time_out, slot)
                                               : rewrite(wait.call, wait.time_out, slot);
  if (!write_time_out(tid, rewritten, wait.time_out.argument, slot, wait.deadline)) return false;
  set_arguments(registers, rewritten.call);
  thread.wait = wait;
  return true;
}

bool Session::is_early(const Wait& wait) const {
  return machine_span(wait.deadline - page_.now(CloudClockName::monotonic), page_.rate()) > kEarly;
}

void Session::write_rest(pid_t tid, const Wait& wait) const {
  timespec rest{};
  put(rest, std::max<std::int64_t>(wait.deadline - page_.now(CloudClockName::monotonic), 0));
  if (wait.time_out.form == TimeOut::Form::timeval) rest.tv_nsec /= 1000;
  write_memory(tid, wait.call.arguments[*wait.time_out.rest], &rest, sizeof rest);
}

// The registers become those of the call that the tool made, whose result may be that it has to go on.
void Session::end_wait(pid_t tid, Thread& thread) {
  user_regs_struct registers{};
  if (!read_registers(tid, registers)) return;
  const Wait& wait = thread.wait;
  const auto result = static_cast<std::int64_t>(registers.rax);
  set_arguments(registers, wait.call);
  const bool is_interruption = is_interrupted(result);
  const bool is_ours =
      is_interruption && (thread.is_kicked || is_left_over(wait.call, result)) && !signals_of(tid).has_unblocked();
  if (is_ours || (is_timed_out(wait.call, result) && is_early(wait))) {
    rewind(registers, wait.call.number);
    thread.resumed = wait;
    thread.rewound_result = is_interruption && result != kRestartBlock ? result : kRestartNoHand;
  } else {
    // The kernel keeps the rest by the machine's clock, we keep it by the cloud's.
    if (result == kRestartBlock) registers.rax = static_cast<unsigned long long>(kRestartNoHand);
    if (is_interruption) thread.resumed = wait;
    if (wait.time_out.rest && (wait.time_out.rest_on_success ? result >= 0 || is_interruption : is_interruption))
      write_rest(tid, wait);
  }
  write_registers(tid, registers);
}

// The clock was turned: whoever waits waits anew, for what is left.
void Session::turned() {
  for (auto& [tid, thread] : threads_)
    if (thread.expect == Expect::wait_end && !thread.is_kicked)
      thread.is_kicked = ::ptrace(PTRACE_INTERRUPT, tid, nullptr, nullptr) == 0;
  for (auto& [id, process] : processes_) {
    process.timers.rearm_files(id, page_);
    if (!process.timers.has_inner()) continue;
    process.has_to_rearm = true;
    for (auto& [tid, thread] : threads_) {
      if (thread.process != id) continue;
      if (!thread.is_kicked) thread.is_kicked = ::ptrace(PTRACE_INTERRUPT, tid, nullptr, nullptr) == 0;
      break;
    }
  }
}

// Arms the timers that only the process itself can, by calls in its stopped thread.
void Session::rearm(pid_t tid, Process& process, RemoteCalls::Interrupted interrupted) {
  const std::uint64_t slot = slot_of(threads_.at(tid), process);
  const auto calls = process.timers.inner_calls(page_, slot);
  if (calls.empty() || process.image.system_call == 0) return;
  std::optional<int> death;
  {
    RemoteCalls remote(tid, process.image.system_call, interrupted);
    for (const auto& [call, values] : calls)
      if (!write_memory(tid, slot, values.data(), sizeof values) || !remote.run(call)) break;
    death = remote.death();
  }
  if (death) handle(tid, *death);
}

}  // namespace brume::time

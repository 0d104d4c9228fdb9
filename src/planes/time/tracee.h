// One stopped thread of a tool, as its tracer has it: registers, memory, and system calls made in its place. All on the
// launcher's thread, and only between a stop and its continuation. Failures mean that the thread is gone: they are
// answers, not errors.
#pragma once

#include <signal.h>
#include <sys/types.h>
#include <sys/user.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "planes/time/calls.h"

namespace brume::time {

bool read_registers(pid_t thread, user_regs_struct& registers);
bool write_registers(pid_t thread, const user_regs_struct& registers);
Call call_of(const user_regs_struct& registers);
void set_arguments(user_regs_struct& registers, const Call& call);
// Has the call that was interrupted, or has ended, made again with the registers as they are.
void rewind(user_regs_struct& registers, long number);
// Takes that back: the call ends with `result`, of which the kernel makes what the signal's handler asks for.
void unrewind(user_regs_struct& registers, long number, std::int64_t result);

bool read_memory(pid_t thread, std::uint64_t address, void* data, std::size_t size);
bool write_memory(pid_t thread, std::uint64_t address, const void* data, std::size_t size);

// Makes system calls in a thread that is in any stop, by the instruction at `instruction`, with its signals held back.
// The registers are what they were when it ends.
class RemoteCalls {
 public:
  // What an interrupted call needs is done at the end; `as_found`: by the caller, who gets the registers as they were.
  enum class Interrupted { settled, as_found };
  RemoteCalls(pid_t thread, std::uint64_t instruction, Interrupted interrupted = Interrupted::settled);
  RemoteCalls(const RemoteCalls&) = delete;
  RemoteCalls& operator=(const RemoteCalls&) = delete;
  ~RemoteCalls();
  // The kernel's result, negative for errors; nullopt: the thread died.
  std::optional<std::int64_t> run(const Call& call);
  // The status with which it died, to be handled by the caller.
  std::optional<int> death() const { return death_; }

 private:
  bool next_stop();
  pid_t thread_;
  std::uint64_t instruction_;
  user_regs_struct saved_{}, as_found_{};
  std::uint64_t mask_ = 0;
  std::optional<int> death_;
  std::vector<int> held_back_;  // stop signals, which no mask holds back
};

// Fields of /proc/THREAD/status. A set of signals has bit n-1 for signal n.
struct SignalSets {
  std::uint64_t pending = 0, blocked = 0, ignored = 0, caught = 0;
  bool has_unblocked() const { return (pending & ~blocked) != 0; }
  // The program never hears of it.
  bool is_ignored(int signal) const;
  bool is_caught(int signal) const;
};
SignalSets signals_of(pid_t thread);
pid_t process_of(pid_t thread);  // 0: gone
// Its mount namespace, as /proc names it; empty: gone.
std::string mounts_of(pid_t thread);

// Says something on the standard error of a tool, if that can be opened.
void say_to(pid_t thread, const std::string& text);

}  // namespace brume::time

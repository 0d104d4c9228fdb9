// A launcher's work: follows one tool and everything it starts, so that their clocks are the cloud's. Runs on the main
// thread of the launcher's own process, which is the tracer of them all, until the last of them has ended. Killed, it
// takes them with it (PTRACE_O_EXITKILL): a stopped process without a tracer would stay stopped, and a filtered one
// would not sleep.
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <set>
#include <string>

#include "planes/time/calls.h"
#include "planes/time/page_view.h"
#include "planes/time/timers.h"
#include "planes/time/tool_image.h"
#include "planes/time/tracee.h"

namespace brume::time {

// Where the page is. `inside`: where containers see it; then only programs in another mount namespace than the
// launcher's follow, and what begins the container (runc) does not.
struct PagePaths {
  std::string page, inside;
};

class Session {
 public:
  explicit Session(PagePaths paths);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Takes `process`, which has one thread, as the first. False, with errno, when it cannot be traced.
  bool seize(pid_t process);
  // Until nothing is left to follow.
  void run();

 private:
  // Children have their parents' image until they execute another program.
  struct Process {
    ToolImage image;
    Timers timers;
    bool has_to_rearm = false;
    bool has_own_filter = false;  // of system calls: its children and what it executes have it too
  };
  struct Wait {
    Call call;
    TimeOut time_out;
    std::int64_t deadline = 0;  // of the cloud's CLOCK_MONOTONIC
  };
  enum class Expect { nothing, wait_end, timer_end, exec_end };
  struct Thread {
    pid_t process = 0;
    std::size_t slot = 0;
    Expect expect = Expect::nothing;
    Wait wait;
    std::optional<Wait> resumed;  // the same call, made again, goes on with this deadline
    // It is about to make the call again, which ended with this by our doing. A signal that comes before that ends it.
    std::optional<std::int64_t> rewound_result;
    bool is_kicked = false;
    Timers::Pending timer;
    std::uint32_t turn = 0;  // the page's sequence when the timer's call began
  };

  // session.cpp: one for each kind of stop.
  void handle(pid_t tid, int status);
  void ended(pid_t tid);
  void stopped(pid_t tid, int status);
  void stopped_by_event(pid_t tid, int event, int signal);
  void interrupted(pid_t tid);
  void signalled(pid_t tid, int signal);
  void born(pid_t parent);
  void executed(pid_t tid);
  void executed_to_the_end(pid_t tid);
  void called(pid_t tid);
  void finished(pid_t tid);

  // session_waits.cpp.
  bool answer_clock(pid_t tid, Process& process, user_regs_struct& registers);
  bool begin_wait(pid_t tid, Thread& thread, const Process& process, user_regs_struct& registers);
  void end_wait(pid_t tid, Thread& thread);
  bool is_early(const Wait& wait) const;
  std::optional<std::int64_t> deadline_of(pid_t tid, const Wait& wait, bool is_go) const;
  void write_rest(pid_t tid, const Wait& wait) const;
  bool write_time_out(pid_t tid, Rewritten& rewritten, std::size_t argument, std::uint64_t slot,
                      std::int64_t deadline) const;
  void turned();
  void rearm(pid_t tid, Process& process, RemoteCalls::Interrupted interrupted = RemoteCalls::Interrupted::settled);

  Thread& add(pid_t tid, pid_t process);
  void remove(pid_t tid);
  void resume(pid_t tid, int request, int signal = 0);
  std::uint64_t slot_of(const Thread& thread, const Process& process) const;
  void complain(pid_t tid, const std::string& why);
  bool note(pid_t tid, Process& process, const Call& call);

  bool is_to_follow(pid_t tid) const;

  PagePaths paths_;
  PageView page_;
  std::map<pid_t, Thread> threads_;
  std::map<pid_t, Process> processes_;
  std::set<pid_t> early_;  // born, stopped, and not yet told of by their parents
  std::set<std::size_t> free_slots_;
  std::size_t next_slot_ = 0;
  bool has_complained_ = false, has_told_of_debuggers_ = false;
};

}  // namespace brume::time

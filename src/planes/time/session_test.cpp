// A session with real tools: processes that follow the clock of a page that the test turns.
#include "planes/time/session.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "core/cloud_clock.h"
#include "core/testing.h"
#include "planes/time/launcher.h"

namespace brume::time {
namespace {

class TimeSession : public ::testing::Test {
 protected:
  enum class Mounts { the_launchers, own };
  // A tool that follows. `inside`: by the path that a container has.
  pid_t begin(std::vector<std::string> command, const std::string& inside = {}, Mounts mounts = Mounts::the_launchers) {
    const pid_t tool = ::fork();
    if (tool != 0) return tool;
    const std::string problem = follow_clock({.page = page_, .inside = inside});
    if (!problem.empty() || (mounts == Mounts::own && ::unshare(CLONE_NEWNS) != 0)) ::_exit(99);
    std::vector<char*> words;
    for (std::string& word : command) words.push_back(word.data());
    words.push_back(nullptr);
    ::execvp(words[0], words.data());
    ::_exit(98);
  }
  // Its status; a tool that does not end in time is killed.
  static int end(pid_t tool) {
    pollfd over{static_cast<int>(::syscall(SYS_pidfd_open, tool, 0)), POLLIN, 0};
    if (::poll(&over, 1, 30'000) != 1) ::kill(tool, SIGKILL);
    ::close(over.fd);
    int status = 0;
    ::waitpid(tool, &status, 0);
    return status;
  }
  static void expect_success(pid_t tool) {
    const int status = end(tool);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
  // What a shell's command prints into a file.
  std::string printed(const std::string& command, const std::string& inside = {},
                      Mounts mounts = Mounts::the_launchers) {
    const std::string out = directory_.path() + "/out";
    expect_success(begin({"sh", "-c", command + " > " + out}, inside, mounts));
    std::ifstream file(out);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void advance(Duration span) {
    clock_.begin_advance();
    clock_.step_to(clock_.now() + span);
    clock_.end_advance();
  }

  TemporaryDirectory directory_;
  std::string page_ = directory_.path() + "/clock";
  CloudClock clock_{page_};
};

TEST_F(TimeSession, ASleepEndsByTheCloudsClock) {
  clock_.set_speed(10'000);
  expect_success(begin({"sleep", "20000"}));
}

TEST_F(TimeSession, AnAdvanceEndsASleepOfAPausedClock) {
  clock_.pause();
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t tool = begin({"sh", "-c", "echo >&" + std::to_string(ends[1]) + "; sleep 3600"});
  char begun = 0;
  ASSERT_EQ(::read(ends[0], &begun, 1), 1);
  // It may begin to sleep only after the first.
  pollfd over{static_cast<int>(::syscall(SYS_pidfd_open, tool, 0)), POLLIN, 0};
  for (int tries = 0; tries < 300 && ::poll(&over, 1, 100) == 0; ++tries) advance(hours(1));
  ::close(over.fd);
  expect_success(tool);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(TimeSession, ChildrenSeeTheCloudsCalendar) {
  advance(days(300));
  const std::int64_t before = clock_.now().seconds();
  const std::int64_t seen = std::atoll(printed("sh -c 'date +%s'").c_str());
  EXPECT_LE(before, seen);
  EXPECT_LE(seen, clock_.now().seconds());
}

TEST_F(TimeSession, ExitCodesAndSignalsAreTheToolsOwn) {
  clock_.set_speed(20);
  EXPECT_EQ(WEXITSTATUS(end(begin({"sh", "-c", "exit 7"}))), 7);
  EXPECT_EQ(WTERMSIG(end(begin({"sh", "-c", "kill -TERM $$"}))), SIGTERM);
}

// As with a container: what makes it (runc) keeps the machine's clock, what has mounts of its own follows.
TEST_F(TimeSession, InsideOnlyProgramsOfAnotherMountNamespaceFollow) {
  advance(days(300));
  const std::int64_t real = SystemClock().now().seconds();
  EXPECT_LT(std::atoll(printed("date +%s", page_).c_str()), real + 86'400);
  if (::geteuid() == 0) EXPECT_GT(std::atoll(printed("date +%s", page_, Mounts::own).c_str()), real + 86'400);
}

TEST_F(TimeSession, APageThatIsNoneIsSaid) {
  EXPECT_NE(follow_clock({.page = directory_.path() + "/none", .inside = {}}), "");
}

}  // namespace
}  // namespace brume::time

// A session with real tools: processes that follow the clock of a page that the test turns.
#include "planes/time/session.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
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
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    int status = 0;
    while (::waitpid(tool, &status, WNOHANG) == 0) {
      if (std::chrono::steady_clock::now() > deadline) ::kill(tool, SIGKILL);
      ::usleep(2'000);
    }
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
  const std::string mark = directory_.path() + "/mark";
  const pid_t tool = begin({"sh", "-c", "touch " + mark + "; sleep 3600"});
  while (::access(mark.c_str(), F_OK) != 0) ::usleep(1'000);
  advance(hours(1));
  advance(hours(1));  // should it have begun to sleep only now
  expect_success(tool);
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

#include "core/fault.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "core/testing.h"

namespace brume {
namespace {

std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// The environment is read at the start of a program: each case is one of its own.
int run_armed(const std::string& order) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("BRUME_FAULT", order.c_str(), 1);
    ::execl("/proc/self/exe", "core_test", "--gtest_filter=FaultChild.DISABLED_ComesToTwoPoints",
            "--gtest_also_run_disabled_tests", "--gtest_brief=1", static_cast<char*>(nullptr));
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

TEST(FaultChild, DISABLED_ComesToTwoPoints) {
  for (int i = 0; i < 3; ++i) {
    fault_point("store.write");
    fault_point("store.written");
  }
}

TEST(Fault, NamesAreUnique) {
  EXPECT_EQ(std::set<std::string_view>(kFaultPoints.begin(), kFaultPoints.end()).size(), kFaultPoints.size());
}

TEST(Fault, UnarmedPointsDoNothing) {
  for (int i = 0; i < 3; ++i) fault_point("store.write");
}

TEST(Fault, KillsAtTheWantedHitAndOnlyOnce) {
  const TemporaryDirectory directory;
  const std::string mark = directory.path() + "/mark";
  int status = run_armed("store.written 3 " + mark);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
  EXPECT_GT(std::stoi(text_of(mark)), 0);
  status = run_armed("store.written 3 " + mark);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "what is started after the fault goes on";
  std::remove(mark.c_str());
  status = run_armed("store.written 4 " + mark);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "it is never reached a fourth time";
  EXPECT_EQ(text_of(mark), "");
}

TEST(Fault, TracesWhatIsReached) {
  const TemporaryDirectory directory;
  run_armed("trace " + directory.path() + "/trace");
  EXPECT_EQ(text_of(directory.path() + "/trace"),
            "store.write\nstore.written\nstore.write\nstore.written\nstore.write\nstore.written\n");
}

TEST(Fault, RefusesAnUnknownPoint) {
  const int status = run_armed("store.wirtten 1 /dev/null");
  EXPECT_FALSE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace
}  // namespace brume

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string_view>

#include "planes/keeper/keeper_process.h"
#include "planes/keeper/test_daemon.h"

// Leaves a process behind that ends, with code 6, before its starter does.
static int start_and_outlive(const char* pid_file) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    std::puts("last");
    std::fflush(stdout);
    ::_exit(6);
  }
  std::ofstream(pid_file) << pid;
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);  // it stays a zombie
}

int main(int count, char** arguments) {
  if (count > 1 && std::string_view(arguments[1]) == "keep") return brume::keeper_main(count - 2, arguments + 2);
  if (count > 5 && std::string_view(arguments[1]) == "daemon") return brume::testing::daemon_main(arguments + 2);
  if (count > 2 && std::string_view(arguments[1]) == "starter") return start_and_outlive(arguments[2]);
  ::testing::InitGoogleTest(&count, arguments);
  return RUN_ALL_TESTS();
}

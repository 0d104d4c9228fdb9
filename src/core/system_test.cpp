#include "core/system.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "core/testing.h"

namespace brume {
namespace {

TEST(ReadFile, GivesTheWholeFileAndNothingOfOneThatIsNotThere) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/file";
  std::string text(100'000, 'x');
  text[50'000] = '\0';
  std::ofstream(path, std::ios::binary) << text;
  EXPECT_EQ(read_file(path), text);
  EXPECT_EQ(read_file(path + ".none"), "");
  EXPECT_FALSE(read_file("/proc/self/status").empty());
}

TEST(ReadToEnd, GivesWhatIsLeft) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/file";
  std::ofstream(path) << "head" + std::string(10'000, 'y');
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  ::lseek(descriptor, 4, SEEK_SET);
  EXPECT_EQ(read_to_end(descriptor), std::string(10'000, 'y'));
  EXPECT_EQ(read_to_end(descriptor), "");
  ::close(descriptor);
  EXPECT_EQ(read_to_end(-1), "");
}

// As the kernel's own order of beginnings says, whatever the process calls itself.
TEST(BeginningOf, TellsProcessesApartWhateverTheirNames) {
  const std::string own = beginning_of(::getpid());
  ASSERT_FALSE(own.empty());
  EXPECT_EQ(beginning_of(::getpid()), own);
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_NAME, "a) R 1 (b");
    ::raise(SIGSTOP);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, WUNTRACED), child);
  const std::string began = beginning_of(child);
  EXPECT_GE(std::stoull(began), std::stoull(own));
  EXPECT_EQ(began.find_first_not_of("0123456789"), std::string::npos) << began;
  ::kill(child, SIGKILL);
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(beginning_of(child), "");
}

}  // namespace
}  // namespace brume

// What was acknowledged survives kill -9: a child process puts objects on a real store and tells each acknowledged
// number through a pipe; the test kills it in the middle and looks at what is left.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "services/s3/testing.h"

namespace brume::s3 {
namespace {

// Every third one is large enough for a file of its own.
std::string text_of(std::uint32_t number) {
  const std::size_t more = number % 3 == 0 ? kLargestStoredBody : 0;
  return "body " + std::to_string(number) + std::string(number % 3000 + more, 'x');
}

TEST(S3Child, DISABLED_PutsUntilKilled) {
  const std::string place = std::getenv("BRUME_TEST_DIRECTORY");
  World world(open_store(place + "/store", Durability::process_death), nullptr, place);
  world.create_bucket("abc");
  for (std::uint32_t number = 0;; ++number) {
    // Each key is written twice, so that files are removed under the killer's eyes too.
    world.put("abc", std::to_string(number / 2), text_of(number));
    ASSERT_EQ(::write(3, &number, sizeof number), ssize_t{sizeof number});
  }
}

TEST(S3, LosesNothingAcknowledgedWhenKilled) {
  const TemporaryDirectory directory;
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("BRUME_TEST_DIRECTORY", directory.path().c_str(), 1);
    ::dup2(ends[1], 3);
    ::execl("/proc/self/exe", "s3_test", "--gtest_filter=S3Child.DISABLED_PutsUntilKilled",
            "--gtest_also_run_disabled_tests", "--gtest_brief=1", static_cast<char*>(nullptr));
    ::_exit(127);
  }
  ::close(ends[1]);
  std::uint32_t last = 0;
  const auto read_one = [&] { return ::read(ends[0], &last, sizeof last) == ssize_t{sizeof last}; };
  while (last < 1501 && read_one()) {
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  while (read_one()) {
  }
  ::close(ends[0]);
  ASSERT_GE(last, 1501U);
  World world(open_store(directory.path() + "/store", Durability::process_death), nullptr, directory.path());
  for (std::uint32_t number = 0; number < last; number += 2) {
    const std::string text = world.get("abc", std::to_string(number / 2));
    // The last key's second write may or may not have been made when the process died.
    const bool settled = number + 1 <= last;
    ASSERT_TRUE(text == text_of(number + 1) || (!settled && text == text_of(number))) << number;
  }
  // Nothing is left over: one body for each object.
  ListObjectsV2Input list;
  list.bucket = "abc";
  std::size_t objects = 0;
  while (true) {
    const auto page = world(list_objects_v2, list);
    objects += page.contents.get().size();
    if (!page.is_truncated.get()) break;
    list.continuation_token = page.next_continuation_token;
  }
  EXPECT_EQ(world.files().size(), objects);
}

}  // namespace
}  // namespace brume::s3

// The way to the real internet, by a real slirp4netns that a fake keeper's hooks start and end. Nothing is sent to the
// real internet: what is checked is the tap and what may not pass it.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "planes/network/sample_vpc.h"
#include "planes/network/test_world.h"

namespace brume::network {
namespace {

using testing::Client;
using testing::Outcome;

class RealInternet : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string reason = testing::why_no_kernel();
    if (reason.empty() && ::access("/dev/net/tun", R_OK | W_OK) != 0) reason = "there is no /dev/net/tun";
    if (reason.empty() && ::access("/usr/bin/slirp4netns", X_OK) != 0) reason = "slirp4netns is not installed";
    if (!reason.empty()) GTEST_SKIP() << reason;
    world = testing::make_real_world();
    world->keeper().on_spawn = [this](const SpawnSpec& spec) { return start(spec); };
    world->keeper().on_signal = [this, &keeper = world->keeper()](const std::string& id, int signal) {
      end(signal);
      keeper.end_child(id, {0, signal, 0});
    };
    ASSERT_EQ(world->recover(), "");
  }
  void TearDown() override {
    world.reset();
    end(SIGKILL);
  }

  std::string start(const SpawnSpec& spec) {
    EXPECT_EQ(spec.network_namespace, "");
    std::vector<std::string> texts = spec.arguments;
    std::vector<char*> arguments;
    for (std::string& text : texts) arguments.push_back(text.data());
    arguments.push_back(nullptr);
    char* environment[] = {nullptr};
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    const int failure = ::posix_spawn(&pid_, "/usr/bin/slirp4netns", &actions, nullptr, arguments.data(), environment);
    ::posix_spawn_file_actions_destroy(&actions);
    ++started;
    return failure == 0 ? "" : "it could not be started";
  }
  void end(int signal) {
    if (pid_ == 0) return;
    ::kill(pid_, signal);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  void die() {
    end(SIGKILL);
    world->keeper().end_child("slirp4netns", {0, SIGKILL, 0});
  }
  std::string enable(bool enabled) {
    return world->loop().await<std::string>(
        [&](const Done& done) { world->network().enable_real_internet(enabled, done); });
  }
  std::string routes() const {
    std::string text;
    testing::inside(world->network().internet_namespace_path(), [&] {
      std::ifstream table("/proc/thread-self/net/route");
      text.assign(std::istreambuf_iterator<char>(table), {});
    });
    return text;
  }

  std::unique_ptr<testing::World> world;
  int started = 0;

 private:
  pid_t pid_ = 0;
};

TEST_F(RealInternet, TapComesAndGoesAndNothingPrivateIsReachedOverIt) {
  EXPECT_THAT(routes(), ::testing::Not(::testing::HasSubstr("tap0")));
  ASSERT_EQ(enable(true), "");
  EXPECT_THAT(routes(), ::testing::HasSubstr("tap0"));
  const std::string internet = world->network().internet_namespace_path();
  // The tap's own network has the host behind it; the others are the host's and its cloud's.
  for (const char* address : {"192.0.2.2", "10.0.0.1", "172.17.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"})
    EXPECT_EQ(Client(internet, address, 80).outcome(), Outcome::unreachable) << address;
  ASSERT_EQ(enable(true), "");
  EXPECT_EQ(started, 1);
  ASSERT_EQ(enable(false), "");
  EXPECT_THAT(routes(), ::testing::Not(::testing::HasSubstr("tap0")));
  ASSERT_EQ(enable(false), "");
}

TEST_F(RealInternet, ReturningDaemonAdoptsIt) {
  ASSERT_EQ(enable(true), "");
  world->restart();
  ASSERT_EQ(world->recover(), "");
  ASSERT_EQ(enable(true), "");
  EXPECT_EQ(started, 1);
  EXPECT_THAT(routes(), ::testing::HasSubstr("tap0"));
}

TEST_F(RealInternet, OneThatEndsIsStartedAgainUnlessItEndsAtOnce) {
  ASSERT_EQ(enable(true), "");
  // The fake keeper's clock goes a millisecond further with each line.
  for (int i = 0; i < 10'001; ++i) world->keeper().write_line("slirp4netns", "");
  die();
  ASSERT_TRUE(world->loop().run_until([&] { return started == 2; }));
  die();
  ASSERT_EQ(enable(true), "");  // asked for anew
  EXPECT_EQ(started, 3);
}

TEST_F(RealInternet, ProgramThatCannotBeStartedIsAnError) {
  world->keeper().on_spawn = [](const SpawnSpec&) { return std::string("no such program"); };
  EXPECT_EQ(enable(true), "slirp4netns could not be started: no such program");
}

}  // namespace
}  // namespace brume::network

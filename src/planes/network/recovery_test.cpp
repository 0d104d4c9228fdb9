// What survives a daemon, what an equal apply does (nothing), and what is left behind (nothing).
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <future>
#include <iostream>
#include <thread>

#include "core/error.h"
#include "planes/network/internet.h"
#include "planes/network/kernel_network.h"
#include "planes/network/router.h"
#include "planes/network/sample_vpc.h"
#include "planes/network/test_world.h"

namespace brume::network {
namespace {

using testing::Client;
using testing::EchoServer;
using testing::Outcome;
using testing::sample_vpc;

constexpr const char* kDaemonDirectory = "BRUME_TEST_NETWORK_DIRECTORY";

std::string output_of(const std::string& command) {
  std::string output;
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  std::array<char, 4096> buffer{};
  while (pipe != nullptr && std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) output += buffer.data();
  if (pipe != nullptr) ::pclose(pipe);
  return output;
}

// Everything in a namespace that a change would show in: numbers of links and handles of rules included, counts not.
std::string snapshot(const std::string& namespace_path) {
  return output_of("nsenter --net='" + namespace_path +
                   "' sh -c 'ip -o link; ip -o addr; ip route show table all; ip rule; nft -a -s list ruleset'");
}

std::string host_snapshot(const std::string& directory) {
  std::string text = output_of("ip -o link; ip -o addr; ip route show table all; ip rule; nft -a -s list ruleset");
  // Other programs may mount things meanwhile: only what names this test's directory is compared.
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);)
    if (line.find(directory) != std::string::npos) text += line + "\n";
  return text;
}

class Recovery : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = testing::why_no_kernel(); !reason.empty()) GTEST_SKIP() << reason;
  }
  // On a thread that has left the host's namespace, as the plane's own has.
  static void on_kernel_thread(const std::function<void()>& body) {
    std::thread([&] {
      leave_host_namespace();
      body();
    }).join();
  }
  TemporaryDirectory directory;
  std::string run() const { return directory.path() + "/run"; }
};

TEST_F(Recovery, EqualApplyAsksTheKernelForNothing) {
  const auto limits = {std::size_t{0}, std::size_t{2000}};
  for (const std::size_t limit : limits)
    on_kernel_thread([&] {
      const Namespaces namespaces(run());
      Internet internet(namespaces, "test00", limit);
      EXPECT_GT(internet.ensure(), 0U);
      Router router(namespaces, "vpc-a", limit);
      EXPECT_GT(router.apply(sample_vpc()), 0U);
      EXPECT_EQ(router.apply(sample_vpc()), 0U);
      // A later daemon knows only what the kernel shows.
      Router later(namespaces, "vpc-a", limit);
      EXPECT_EQ(later.apply(sample_vpc()), 0U);
      EXPECT_EQ(Internet(namespaces, "test00", limit).ensure(), 0U);
      Vpc changed = sample_vpc();
      testing::group(changed, "sg-task").ingress.clear();
      EXPECT_EQ(later.apply(changed), 4U);  // flush, counter, two revisions
      later.remove();
      internet.remove();
      namespaces.remove_directory();
    });
}

TEST_F(Recovery, ChangedWhileNobodyLookedIsRepairedAndCountsAreKept) {
  auto world = testing::make_real_world_in(run(), true);
  ASSERT_EQ(world->recover(), "");
  ASSERT_EQ(world->apply(sample_vpc()), "");
  const EchoServer task(world->network().namespace_path("vpc-a/task1"), "10.0.2.11", 8000);
  Client established(world->network().namespace_path("vpc-a/balancer"), "10.0.2.11", 8000);
  ASSERT_TRUE(established.echo());
  world->restart();
  ASSERT_EQ(world->recover(), "");
  Vpc changed = sample_vpc();
  changed.groups[1].ingress.push_back(testing::allow("sgr-new", "tcp", 9000, 9000, "0.0.0.0/0"));
  changed.interfaces.pop_back();
  ASSERT_EQ(world->apply(changed), "");
  EXPECT_TRUE(established.echo());
  const Counters counters = world->counters("vpc-a");
  EXPECT_EQ(counters.rules.at("sgr-task").packets, 1U);
  EXPECT_EQ(counters.rules.at("sgr-new").packets, 0U);
}

TEST_F(Recovery, InterruptedMakingIsCompleted) {
  auto world = testing::make_real_world_in(run(), true);
  ASSERT_EQ(world->recover(), "");
  on_kernel_thread([&] {
    const Namespaces namespaces(run());
    namespaces.create(router_namespace("vpc-a"), NamespaceKind::router);
    namespaces.create(sandbox_namespace("vpc-a/task1"), NamespaceKind::sandbox);
    namespaces.create(sandbox_namespace("orphan"), NamespaceKind::sandbox);
  });
  world->restart();
  ASSERT_EQ(world->recover(), "");
  ASSERT_EQ(world->apply(sample_vpc()), "");
  EXPECT_THAT(Namespaces(run()).list(), ::testing::Not(::testing::Contains(sandbox_namespace("orphan"))));
  const EchoServer task(world->network().namespace_path("vpc-a/task1"), "10.0.2.11", 8000);
  EXPECT_EQ(Client(world->network().namespace_path("vpc-a/balancer"), "10.0.2.11", 8000).outcome(), Outcome::connected);
}

// The keeper takes a mount namespace of its own, once, and starts programs in namespaces that are made later.
TEST_F(Recovery, KeeperSeesNamespacesThatAreMadeLater) {
  std::promise<void> unshared, made;
  bool seen_before = true, seen = false;
  const auto look = [&](const std::string& prepared) {
    EXPECT_EQ(::unshare(CLONE_NEWNS), 0);
    EXPECT_EQ(::mount("", "/", nullptr, MS_REC | MS_SLAVE, nullptr), 0);
    seen_before = Namespaces(prepared).exists("sandbox.later");
    unshared.set_value();
    made.get_future().wait();
    seen = Namespaces(prepared).exists("sandbox.later");
  };
  prepare_run_directory(run());
  std::thread keeper(look, run());
  unshared.get_future().wait();
  const Namespaces namespaces(run());
  on_kernel_thread([&] { namespaces.create("sandbox.later", NamespaceKind::sandbox); });
  made.set_value();
  keeper.join();
  EXPECT_FALSE(seen_before);
  EXPECT_TRUE(seen);
  namespaces.remove("sandbox.later");
  namespaces.remove_directory();
}

TEST_F(Recovery, AnotherInstancesNamespacesAreNotAdopted) {
  auto world = testing::make_real_world_in(run(), true);
  ASSERT_EQ(world->recover(), "");
  on_kernel_thread([&] {
    const Namespaces namespaces(run());
    EXPECT_THROW(Internet(namespaces, "other0", 0).ensure(), PlaneError);
    EXPECT_EQ(Internet(namespaces, "test00", 0).ensure(), 0U);
  });
}

TEST_F(Recovery, RemoveAllNeedsNothingToBeWhole) {
  auto world = testing::make_real_world_in(run(), true);
  ASSERT_EQ(world->recover(), "");
  ASSERT_EQ(world->apply(sample_vpc()), "");
  world->restart();
  Namespaces(run()).remove(kInternetNamespace);
  Namespaces(run()).remove(sandbox_namespace("vpc-a/task1"));
  EXPECT_EQ(world->remove_all(), "");
  EXPECT_THAT(Namespaces(run()).list(), ::testing::IsEmpty());
}

// Not a test: the daemon of the next one, which is this program started again.
TEST(NetworkDaemon, DISABLED_AppliesAndWaits) {
  const char* directory = std::getenv(kDaemonDirectory);
  ASSERT_NE(directory, nullptr);
  auto world = testing::make_real_world_in(directory, false);
  ASSERT_EQ(world->recover(), "");
  ASSERT_EQ(world->apply(sample_vpc()), "");
  std::cout << "applied" << std::endl;
  ::pause();
}

class Daemon {
 public:
  explicit Daemon(const std::string& directory) {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    output_ = ::fdopen(ends[0], "r");
    const Descriptor childs(ends[1]);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, childs.get(), 1);
    std::string program = "test", filter = "--gtest_filter=NetworkDaemon.*", all = "--gtest_also_run_disabled_tests";
    char* arguments[] = {program.data(), filter.data(), all.data(), nullptr};
    std::string variable = std::string(kDaemonDirectory) + "=" + directory;
    char* environment[] = {variable.data(), nullptr};
    EXPECT_EQ(::posix_spawn(&pid_, "/proc/self/exe", &actions, nullptr, arguments, environment), 0);
    ::posix_spawn_file_actions_destroy(&actions);
  }
  ~Daemon() { ::fclose(output_); }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  bool wait_until_applied() {
    std::array<char, 512> line{};
    while (std::fgets(line.data(), line.size(), output_) != nullptr)
      if (std::string(line.data()) == "applied\n") return true;
    return false;
  }
  void kill() {
    ::kill(pid_, SIGKILL);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status));
  }

 private:
  pid_t pid_ = 0;
  FILE* output_ = nullptr;
};

TEST_F(Recovery, KilledDaemonCutsNoFlowAndItsSuccessorChangesNothing) {
  Daemon daemon(run());
  ASSERT_TRUE(daemon.wait_until_applied());
  const Namespaces namespaces(run());
  const std::string task = namespaces.path(sandbox_namespace("vpc-a/task1"));
  const std::string balancer = namespaces.path(sandbox_namespace("vpc-a/balancer"));
  const std::string internet = namespaces.path(kInternetNamespace);
  const EchoServer task_server(task, "10.0.2.11", 8000), balancer_server(balancer, "10.0.1.10", 80);
  Client inner(balancer, "10.0.2.11", 8000), outer(internet, "198.19.0.10", 80);
  ASSERT_TRUE(inner.echo() && outer.echo());
  const std::string router = namespaces.path(router_namespace("vpc-a"));
  const std::string before = snapshot(router) + snapshot(task) + snapshot(internet);
  daemon.kill();
  EXPECT_TRUE(inner.echo() && outer.echo());
  auto world = testing::make_real_world_in(run(), true);
  ASSERT_EQ(world->recover(), "");
  EXPECT_TRUE(inner.echo() && outer.echo());
  ASSERT_EQ(world->apply(sample_vpc()), "");
  EXPECT_TRUE(inner.echo() && outer.echo());
  EXPECT_EQ(before, snapshot(router) + snapshot(task) + snapshot(internet));
  EXPECT_THAT(before, ::testing::HasSubstr("revision."));
}

TEST_F(Recovery, HostIsAsItWas) {
  const std::string before = host_snapshot(directory.path());
  {
    auto world = testing::make_real_world_in(run(), true);
    ASSERT_EQ(world->recover(), "");
    ASSERT_EQ(world->apply(sample_vpc()), "");
    ASSERT_EQ(world->apply(sample_vpc("vpc-b")), "");
    const std::string during = host_snapshot(directory.path());
    EXPECT_NE(before, during);  // its mounts are seen
    EXPECT_EQ(before, during.substr(0, before.size()));
  }
  EXPECT_EQ(before, host_snapshot(directory.path()));
  EXPECT_THAT(Namespaces(run()).list(), ::testing::IsEmpty());
}

TEST_F(Recovery, HundredInterfaces) {
  auto world = testing::make_real_world_in(run(), true);
  ASSERT_EQ(world->recover(), "");
  Vpc vpc = sample_vpc();
  for (int i = 0; i < 100; ++i) {
    const std::string number = std::to_string(100 + i);
    vpc.interfaces.push_back(
        testing::interface("eni-" + number, "subnet-private", "many/" + number, "10.0.2." + number, {"sg-task"}));
  }
  const auto time = [&](const char* what, const std::function<void()>& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - start;
    std::cout << what << ": " << spent.count() << " ms\n";
  };
  time("apply of 104 interfaces in 104 namespaces", [&] { ASSERT_EQ(world->apply(vpc), ""); });
  time("equal apply", [&] { ASSERT_EQ(world->apply(vpc), ""); });
  Vpc revoked = vpc;
  testing::group(revoked, "sg-task").ingress.clear();
  time("apply of a revoked rule", [&] { ASSERT_EQ(world->apply(revoked), ""); });
  Vpc fewer = revoked;
  fewer.interfaces.pop_back();
  time("apply of one interface less", [&] { ASSERT_EQ(world->apply(fewer), ""); });
  time("apply of one interface more", [&] { ASSERT_EQ(world->apply(revoked), ""); });
  world->restart();
  time("recover", [&] { ASSERT_EQ(world->recover(), ""); });
  time("apply after recover", [&] { ASSERT_EQ(world->apply(revoked), ""); });
  time("remove", [&] { ASSERT_EQ(world->remove("vpc-a"), ""); });
}

TEST_F(Recovery, DeadNftProcessIsReplaced) {
  on_kernel_thread([&] {
    const Namespaces namespaces(run());
    namespaces.prepare();
    namespaces.create("sandbox.nft", NamespaceKind::sandbox);
    {
      NftProcess nft(namespaces, "sandbox.nft");
      EXPECT_EQ(nft.run("add table inet brume"), "");
      const pid_t first = nft.pid();
      ::kill(first, SIGKILL);
      siginfo_t ended{};
      ::waitid(P_PID, static_cast<id_t>(first), &ended, WEXITED | WNOWAIT);
      EXPECT_THAT(nft.run("list tables"), ::testing::HasSubstr("table inet brume"));
      EXPECT_NE(nft.pid(), first);
      try {
        nft.run("add chain inet brume a; add rule inet brume missing accept; add chain inet brume b");
        ADD_FAILURE() << "a wrong line was accepted";
      } catch (const PlaneError& error) {
        EXPECT_EQ(error.kind, PlaneError::Kind::permanent);
        EXPECT_THAT(error.message, ::testing::EndsWith(", in: add rule inet brume missing accept"));
      }
      EXPECT_THAT(nft.run("list table inet brume"), ::testing::Not(::testing::HasSubstr("chain")));
    }
    namespaces.remove("sandbox.nft");
    namespaces.remove_directory();
  });
}

}  // namespace
}  // namespace brume::network

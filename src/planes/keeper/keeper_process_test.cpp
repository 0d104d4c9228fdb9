// The real keeper with real processes: what it does across the death of the daemon, and its own.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "planes/keeper/keeper_client.h"
#include "planes/keeper/mounts.h"
#include "planes/keeper/test_daemon.h"
#include "planes/keeper/test_instance.h"
#include "planes/keeper/test_loop.h"

namespace brume {
namespace {

using testing::TestInstance;
using testing::TestLoop;

SpawnSpec shell(const std::string& id, const std::string& script) {
  SpawnSpec spec;
  spec.id = id;
  spec.owner = "test";
  spec.arguments = {"/bin/sh", "-c", script};
  spec.environment = {"PATH=/usr/bin:/bin"};
  return spec;
}

class KeeperProcess : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "mount and network namespaces need root";
    connect();
  }
  void TearDown() override {
    if (client_ == nullptr) return;
    bool down = false;
    client_->shut_down([&] { down = true; });
    EXPECT_TRUE(loop_.run_until([&] { return down; }));
  }
  void connect() {
    client_.reset();
    lines_.clear();
    exits_.clear();
    client_ = make_keeper_client(instance_.options(), loop_);
    client_->on_lines(
        [this](std::vector<Keeper::Line> more) { lines_.insert(lines_.end(), more.begin(), more.end()); });
    client_->on_exit([this](const Child& child) { exits_.push_back(child); });
    client_->on_connected([this](const KeeperClient::Connected& connected) { connected_ = connected; });
  }
  Keeper::Spawned spawn(const SpawnSpec& spec) {
    return loop_.await<Keeper::Spawned>([&](auto done) { client_->spawn(spec, done); });
  }
  RunResult run(RunSpec spec) {
    return loop_.await<RunResult>([&](auto done) { client_->run(spec, done); });
  }
  bool until_exit() {
    return loop_.run_until([&] { return !exits_.empty(); });
  }

  TestInstance instance_;
  TestLoop loop_;
  std::vector<Keeper::Line> lines_;
  std::vector<Child> exits_;
  KeeperClient::Connected connected_;
  std::unique_ptr<KeeperClient> client_;
};

// The claim of DECISIONS 1. Another process is the daemon, is killed in the middle of the child's output, and the next
// one gets every line that was not acknowledged, without a gap, and the exit code of the time between.
TEST_F(KeeperProcess, LosesNoLineAndNoExitCodeWhenTheDaemonIsKilled) {
  client_.reset();
  const std::string dead = instance_.directory() + "/dead";
  testing::DaemonProcess daemon(
      instance_, "seq 1 1000; until [ -e " + dead + " ]; do sleep 0.01; done; " + "seq 1001 3000; exit 5");
  const std::uint64_t acknowledged = daemon.kill_after_acknowledged(200);
  ASSERT_GE(acknowledged, 200U);
  std::ofstream(dead).flush();
  connect();
  ASSERT_TRUE(until_exit());
  EXPECT_EQ(exits_[0].exit.code, 5);
  ASSERT_FALSE(lines_.empty());
  // At least once: what the dead one acknowledged last may be told again, but nothing is left out.
  EXPECT_LE(lines_.front().sequence, acknowledged + 1);
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    ASSERT_EQ(lines_[i].sequence, lines_.front().sequence + i);
    ASSERT_EQ(lines_[i].text, std::to_string(lines_[i].sequence));
  }
  EXPECT_EQ(lines_.back().sequence, 3000U);
}

// Daemons come and go while a child floods, each acknowledges what it was told.
TEST_F(KeeperProcess, LosesNoLineThroughManyDaemons) {
  ASSERT_GT(spawn(shell("a", "seq 1 20000")).pid, 0);
  std::set<std::uint64_t> seen;
  const auto collect = [&] {
    for (const Keeper::Line& line : lines_) {
      EXPECT_EQ(line.text, std::to_string(line.sequence));
      seen.insert(line.sequence);
      client_->acknowledge(line.id, line.sequence);
    }
    lines_.clear();
  };
  for (int round = 0; round < 20; ++round) {
    ASSERT_TRUE(loop_.run_until([&] { return !lines_.empty() || !exits_.empty(); }));
    collect();
    connect();
  }
  ASSERT_TRUE(until_exit());
  collect();
  EXPECT_EQ(seen.size(), 20'000U);
}

TEST_F(KeeperProcess, WatchesTheProcessThatAStarterLeavesBehind) {
  SpawnSpec spec = shell("a", "");
  spec.pid_file = instance_.directory() + "/pid";
  spec.arguments[2] = "(trap 'exit 9' TERM; echo up; while :; do sleep 0.01; done) & echo $! > " + spec.pid_file;
  const Keeper::Spawned spawned = spawn(spec);
  EXPECT_EQ(spawned.error, "");
  int pid = 0;
  std::ifstream(spec.pid_file) >> pid;
  EXPECT_EQ(spawned.pid, pid);
  ASSERT_TRUE(loop_.run_until([&] { return !lines_.empty(); }));
  client_->signal("a", SIGTERM);
  ASSERT_TRUE(until_exit());
  EXPECT_EQ(exits_[0].pid, pid);
  EXPECT_EQ(exits_[0].exit.code, 9);
}

TEST_F(KeeperProcess, KnowsTheExitOfAProcessThatEndedBeforeItsStarter) {
  SpawnSpec spec = shell("a", "");
  spec.pid_file = instance_.directory() + "/pid";
  spec.arguments = {std::filesystem::read_symlink("/proc/self/exe").string(), "starter", spec.pid_file};
  ASSERT_GT(spawn(spec).pid, 0);
  ASSERT_TRUE(until_exit());
  EXPECT_EQ(exits_[0].exit.code, 6);
  ASSERT_EQ(lines_.size(), 1U);
}

TEST_F(KeeperProcess, KeepsALineWholeThatIsHalfWrittenWhenTheStarterEnds) {
  SpawnSpec spec = shell("a", "");
  const std::string go = instance_.directory() + "/go";
  spec.pid_file = instance_.directory() + "/pid";
  spec.arguments[2] =
      "(until [ -e " + go + " ]; do sleep 0.01; done; echo -half) & echo $! > " + spec.pid_file + "; printf half";
  ASSERT_GT(spawn(spec).pid, 0);
  std::ofstream(go).flush();
  ASSERT_TRUE(until_exit());
  ASSERT_EQ(lines_.size(), 1U);
  EXPECT_EQ(lines_[0].text, "half-half");
}

TEST_F(KeeperProcess, AFailedStarterIsTheError) {
  SpawnSpec spec = shell("a", "echo 'no such image' >&2; exit 1");
  spec.pid_file = instance_.directory() + "/pid";
  const Keeper::Spawned spawned = spawn(spec);
  EXPECT_EQ(spawned.pid, 0);
  EXPECT_EQ(spawned.error, "no such image");
  // It is not a child: the id is free.
  EXPECT_GT(spawn(shell("a", "exit 0")).pid, 0);
}

// Who asked for it was killed before it failed; the next one has adopted what seemed to run.
TEST_F(KeeperProcess, AFailedStarterIsAnEndForALaterDaemonThatSawItRunning) {
  const std::string go = instance_.directory() + "/go";
  SpawnSpec spec = shell("a", "until [ -e " + go + " ]; do sleep 0.01; done; echo 'no such image' >&2; exit 4");
  spec.pid_file = instance_.directory() + "/pid";
  client_->spawn(spec, [](const Keeper::Spawned&) {});
  // Requests are carried out in order.
  loop_.await<std::string>([&](auto done) { client_->unmount(instance_.directory() + "/nothing", done); });
  connect();
  const auto children = loop_.await<std::vector<Child>>([&](auto done) { client_->list(done); });
  ASSERT_EQ(children.size(), 1U);
  EXPECT_TRUE(children[0].running);
  std::ofstream(go).flush();
  ASSERT_TRUE(until_exit());
  EXPECT_EQ(exits_[0].id, "a");
  EXPECT_EQ(exits_[0].exit.code, 4);
  EXPECT_TRUE(lines_.empty());
  client_->forget("a");
  EXPECT_GT(spawn(shell("a", "exit 0")).pid, 0);
}

TEST_F(KeeperProcess, EntersTheNamespaceAsTheUserWithItsCapability) {
  // Made after the keeper started, and mounted in the daemon's mount namespace.
  const std::string path = instance_.directory() + "/ns";
  std::ofstream(path).flush();
  struct stat made{};
  std::thread([&] {
    ASSERT_EQ(::unshare(CLONE_NEWNET), 0);
    ASSERT_EQ(::mount("/proc/thread-self/ns/net", path.c_str(), nullptr, MS_BIND, nullptr), 0);
  }).join();
  ASSERT_EQ(::stat(path.c_str(), &made), 0);
  SpawnSpec spec = shell("a", "stat -L -c %i /proc/self/ns/net; id -u; id -g; id -G; grep CapEff /proc/self/status");
  spec.network_namespace = path;
  spec.uid = 64001;
  spec.gid = 64002;
  spec.ambient_capabilities = {"CAP_NET_BIND_SERVICE"};
  EXPECT_GT(spawn(spec).pid, 0);
  EXPECT_TRUE(until_exit());
  ::umount2(path.c_str(), MNT_DETACH);
  ASSERT_EQ(lines_.size(), 5U);
  EXPECT_EQ(lines_[0].text, std::to_string(made.st_ino));
  EXPECT_EQ(lines_[1].text, "64001");
  EXPECT_EQ(lines_[2].text, "64002");
  EXPECT_EQ(lines_[3].text, "64002");
  EXPECT_EQ(lines_[4].text, "CapEff:\t0000000000000400");
}

TEST_F(KeeperProcess, MountsAreSeenByItsProgramsAndNotByTheHost) {
  OverlayMount mount;
  for (const char* name : {"low", "high", "upper", "work", "merged"}) {
    std::filesystem::create_directory(instance_.directory() + "/" + name);
  }
  std::ofstream(instance_.directory() + "/low/file") << "low";
  std::ofstream(instance_.directory() + "/high/file") << "high";
  mount = {{instance_.directory() + "/low", instance_.directory() + "/high"},
           instance_.directory() + "/upper",
           instance_.directory() + "/work",
           instance_.directory() + "/merged"};
  const auto mounted = loop_.await<std::string>([&](auto done) { client_->mount_overlay(mount, done); });
  ASSERT_EQ(mounted, "");
  RunSpec cat;
  cat.arguments = {"/bin/cat", mount.target + "/file"};
  EXPECT_EQ(run(cat).out, "high");
  EXPECT_FALSE(std::filesystem::exists(mount.target + "/file"));
  const auto unmounted = loop_.await<std::string>([&](auto done) { client_->unmount(instance_.directory(), done); });
  EXPECT_EQ(unmounted, "");
  EXPECT_EQ(run(cat).code, 1);
}

TEST_F(KeeperProcess, BindsFilesForOneProgram) {
  std::ofstream(instance_.directory() + "/hosts") << "bound";
  RunSpec cat;
  cat.arguments = {"/bin/cat", "/etc/hosts"};
  cat.binds = {{instance_.directory() + "/hosts", "/etc/hosts", true}};
  EXPECT_EQ(run(cat).out, "bound");
  cat.binds.clear();
  EXPECT_NE(run(cat).out, "bound");
}

TEST_F(KeeperProcess, AppendsOutputToAFile) {
  SpawnSpec spec = shell("a", "echo out; echo err >&2");
  spec.output = SpawnSpec::Output::file;
  spec.output_file = instance_.directory() + "/log";
  ASSERT_GT(spawn(spec).pid, 0);
  ASSERT_TRUE(until_exit());
  EXPECT_TRUE(lines_.empty());
  std::ifstream file(spec.output_file);
  std::string out, err;
  file >> out >> err;
  EXPECT_EQ(out + err, "outerr");
}

// With the default queue of ten the eleventh message would be refused while the keeper is busy.
TEST_F(KeeperProcess, LogSocketsTakeABurstWhileTheKeeperIsBusy) {
  const std::string path = instance_.directory() + "/log.sock";
  client_->open_log_socket(path, "lb/log");
  ASSERT_GT(spawn(shell("after", "exit 0")).pid, 0);  // requests are carried out in order
  ASSERT_EQ(::kill(connected_.pid, SIGSTOP), 0);
  const int sender = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const int room = 64 << 20;  // what is unread counts against the sender's buffer
  ::setsockopt(sender, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  int sent = 0;
  for (int i = 0; i < 5000; ++i) {
    const std::string text = "message " + std::to_string(i);
    sent += ::sendto(sender, text.data(), text.size(), MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&address),
                     sizeof address) > 0
                ? 1
                : 0;
  }
  ::close(sender);
  ASSERT_EQ(::kill(connected_.pid, SIGCONT), 0);
  EXPECT_EQ(sent, 5000);
  EXPECT_TRUE(loop_.run_until([&] { return lines_.size() >= 5000; }));
  EXPECT_EQ(lines_.back().text, "message 4999");
  EXPECT_EQ(lines_.back().id, "lb/log");
}

TEST_F(KeeperProcess, WhatAKilledKeeperLeftIsEndedByTheNext) {
  const Keeper::Spawned spawned = spawn(shell("a", "exec sleep 1000"));
  ASSERT_GT(spawned.pid, 0);
  const int first = connected_.pid;
  ASSERT_EQ(::kill(first, SIGKILL), 0);
  ASSERT_TRUE(until_exit());
  EXPECT_EQ(exits_[0].id, "a");
  EXPECT_EQ(exits_[0].exit.signal, SIGKILL);
  EXPECT_TRUE(connected_.fresh);
  EXPECT_NE(connected_.pid, first);
  // Killed; a process that nobody has reaped yet has no command line.
  std::ifstream command("/proc/" + std::to_string(spawned.pid) + "/cmdline");
  std::string text;
  EXPECT_FALSE(std::getline(command, text) && text.find("sleep") != std::string::npos);
}

TEST_F(KeeperProcess, AnotherDaemonTakesOver) {
  ASSERT_GT(spawn(shell("a", "exec sleep 1000")).pid, 0);
  TestLoop other_loop;
  auto other = make_keeper_client(instance_.options(), other_loop);
  const auto children = other_loop.await<std::vector<Child>>([&](auto done) { other->list(done); });
  EXPECT_EQ(children.size(), 1U);
  ASSERT_TRUE(loop_.run_until([&] { return !connected_.error.empty(); }));
  EXPECT_EQ(spawn(shell("b", "exit 0")).error, "another daemon has connected to this instance's keeper");
  client_ = nullptr;
  bool down = false;
  other->shut_down([&] { down = true; });
  EXPECT_TRUE(other_loop.run_until([&] { return down; }));
}

TEST_F(KeeperProcess, ShutDownEndsChildrenAndRemovesCgroups) {
  const std::string root = keeper::cgroup_roots().at(0);
  ASSERT_TRUE(std::filesystem::create_directories(root + instance_.cgroup() + "/task"));
  // A grandchild that left the child's process group.
  const Keeper::Spawned spawned = spawn(
      shell("a", "echo $$ > " + root + instance_.cgroup() + "/task/cgroup.procs; setsid sleep 1000 & echo $!; wait"));
  ASSERT_GT(spawned.pid, 0);
  ASSERT_TRUE(loop_.run_until([&] { return !lines_.empty(); }));
  bool down = false;
  client_->shut_down([&] { down = true; });
  ASSERT_TRUE(loop_.run_until([&] { return down; }));
  client_ = nullptr;
  EXPECT_FALSE(std::filesystem::exists(root + instance_.cgroup()));
  EXPECT_FALSE(std::filesystem::exists(keeper_socket_path(instance_.run_directory())));
  EXPECT_EQ(::kill(spawned.pid, 0), -1);
}

// Whoever ends last removes the parent, which an instance that has just begun needs in every hierarchy.
TEST_F(KeeperProcess, AnInstancesCgroupIsMadeWhateverOthersRemove) {
  const std::string parent = instance_.cgroup() + "-others", cgroup = parent + "/one";
  std::atomic<bool> done = false;
  std::thread remover([&] {
    while (!done)
      for (const std::string& root : keeper::cgroup_roots()) ::rmdir((root + parent).c_str());
  });
  int missing = 0;
  for (int i = 0; i < 200; ++i) {
    keeper::make_cgroup(cgroup);
    for (const std::string& root : keeper::cgroup_roots()) {
      missing += std::filesystem::exists(root + cgroup) ? 0 : 1;
      ::rmdir((root + cgroup).c_str());
    }
  }
  done = true;
  remover.join();
  keeper::remove_cgroup(parent);
  EXPECT_EQ(missing, 0);
}

TEST_F(KeeperProcess, HoldsTheInstancesCgroupFromItsBeginning) {
  ASSERT_TRUE(loop_.run_until([&] { return connected_.pid > 0; }));
  for (const std::string& root : keeper::cgroup_roots())
    EXPECT_TRUE(std::filesystem::exists(root + instance_.cgroup()));
}

// `brume down` removes the run directory then; a file that goes at the same time would make that stumble.
TEST_F(KeeperProcess, ShutDownIsDoneWhenTheKeepersFilesAreGone) {
  const std::string logs = instance_.directory() + "/logs";
  std::filesystem::create_directories(logs);
  constexpr int kSockets = 500;
  for (int i = 0; i < kSockets; ++i)
    client_->open_log_socket(logs + "/" + std::to_string(i), "lb/" + std::to_string(i));
  const auto made = [&] { return std::distance(std::filesystem::directory_iterator(logs), {}); };
  loop_.await<std::vector<Child>>([&](auto done) { client_->list(done); });  // answered after they are made
  ASSERT_EQ(made(), kSockets);
  std::ptrdiff_t left = -1;
  client_->shut_down([&] { left = made(); });
  ASSERT_TRUE(loop_.run_until([&] { return left >= 0; }));
  EXPECT_EQ(left, 0);
  client_ = nullptr;
}

// Each request that fails wakes the client's thread, which must not start keepers for that.
TEST_F(KeeperProcess, OneThatCannotStartIsTriedOnceASecondWhateverIsAsked) {
  KeeperClientOptions options = instance_.options();
  options.run_directory = instance_.directory() + "/none";
  options.command = {"/bin/false"};
  int attempts = 0, answers = 0;
  TestLoop loop;
  const auto client = make_keeper_client(options, loop);
  client->on_connected([&](const KeeperClient::Connected& connected) {
    EXPECT_EQ(connected.pid, 0);
    ++attempts;
  });
  const std::function<void(RunResult)> ask_again = [&](const RunResult& result) {
    EXPECT_NE(result.error, "");
    ++answers;
    client->run({.arguments = {"/bin/true"}}, ask_again);
  };
  const auto begun = std::chrono::steady_clock::now();
  client->run({.arguments = {"/bin/true"}}, ask_again);
  EXPECT_TRUE(loop.run_until([&] { return attempts >= 3; }));
  // At the least: a loaded machine takes longer, none is faster.
  EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(1900));
  EXPECT_GE(answers, 1);
}

TEST_F(KeeperProcess, SaysWhyItCannotStart) {
  auto options = instance_.options();
  options.run_directory = "/proc/nothing";
  TestLoop loop;
  auto client = make_keeper_client(options, loop);
  const auto spawned = loop.await<Keeper::Spawned>([&](auto done) { client->spawn(shell("a", ""), done); });
  EXPECT_EQ(spawned.pid, 0);
  EXPECT_NE(spawned.error.find("/proc/nothing"), std::string::npos) << spawned.error;
}

}  // namespace
}  // namespace brume

// Real containers: what the kernel and the processes inside say.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <map>
#include <set>

#include "planes/containers/cgroup_limits.h"
#include "planes/containers/containers.h"
#include "planes/containers/test_world.h"
#include "planes/keeper/mounts.h"

namespace brume::containers {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using testing::make_image;
using ::testing::Not;
using testing::put_image;
using testing::tar_directory;
using testing::tar_file;

class RuncContainersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = testing::no_containers_because(); !reason.empty()) GTEST_SKIP() << reason;
    world_ = std::make_unique<testing::TestWorld>();
  }
  void TearDown() override {
    if (world_ == nullptr) return;
    const std::string cgroup = world_->instance.cgroup(), directory = world_->instance.directory();
    world_.reset();
    for (const std::string& root : keeper::cgroup_roots()) EXPECT_FALSE(std::filesystem::exists(root + cgroup)) << root;
    std::ifstream mounts("/proc/self/mountinfo");
    EXPECT_THAT(std::string(std::istreambuf_iterator<char>(mounts), {}), Not(HasSubstr(directory)));
  }
  void sandbox(const SandboxSpec& spec = {"t1", "ip-10-0-0-5", 0, 0}) {
    ASSERT_EQ(world_->loop.await<std::string>([&](auto done) { world_->containers->create_sandbox(spec, done); }), "");
  }
  ContainerSpec container(std::vector<std::string> command, const std::string& name = "app") {
    return world_->container(std::move(command), name);
  }
  std::string image(const boost::json::object& settings = {}, std::vector<testing::TarMember> more = {}) {
    return world_->image(settings, std::move(more));
  }
  Containers::Started start(const ContainerSpec& spec) {
    return world_->loop.await<Containers::Started>([&](auto done) { world_->containers->start(spec, done); });
  }
  void stop(const std::string& id, int grace_seconds) { world_->containers->stop(id, grace_seconds); }
  Containers::ExecResult exec(std::vector<std::string> command, int timeout_seconds = 10) {
    return world_->loop.await<Containers::ExecResult>(
        [&](auto done) { world_->containers->exec("t1/app", command, timeout_seconds, done); });
  }
  std::string remove() {
    return world_->loop.await<std::string>([&](auto done) { world_->containers->remove_sandbox("t1", done); });
  }
  std::vector<ContainerState> recover() {
    return world_->loop.await<std::vector<ContainerState>>([&](auto done) { world_->containers->recover(done); });
  }
  bool until(const std::function<bool()>& condition) { return world_->loop.run_until(condition); }
  ContainerState exit_of(const std::string& id = "t1/app") {
    EXPECT_TRUE(until([&] { return world_->exits.contains(id); })) << id;
    return world_->exits[id];
  }
  std::vector<std::string>& lines_of(const std::string& id = "t1/app") { return world_->lines["task/" + id]; }
  // Runs it to its end; what it printed.
  std::vector<std::string> output_of(const ContainerSpec& spec) {
    world_->exits.clear();
    world_->lines.clear();
    const Containers::Started started = start(spec);
    EXPECT_EQ(started.error, "");
    if (started.pid == 0) return {};
    exit_of(spec.id);
    return lines_of(spec.id);
  }
  bool ready(const std::string& id = "t1/app") {
    return until([&] { return !lines_of(id).empty(); });
  }

  std::unique_ptr<testing::TestWorld> world_;
};

TEST_F(RuncContainersTest, AnswersInsideItsNetworkNamespaceOnly) {
  sandbox();
  const Containers::Started started = start(container({"serve", "8000"}));
  ASSERT_EQ(started.error, "");
  EXPECT_EQ(world_->space.get(8000), "HTTP/1.1 200 OK");
  struct stat inside{};
  struct stat wanted{};
  ASSERT_EQ(::stat(("/proc/" + std::to_string(started.pid) + "/ns/net").c_str(), &inside), 0);
  ASSERT_EQ(::stat(world_->space.path().c_str(), &wanted), 0);
  EXPECT_EQ(inside.st_ino, wanted.st_ino);
  stop("t1/app", 0);
  EXPECT_EQ(exit_of().exit.signal, SIGKILL);
  EXPECT_EQ(remove(), "");
}

TEST_F(RuncContainersTest, RefusesTheHostsNetworkNamespaceAndWhatItDoesNotServe) {
  sandbox();
  ContainerSpec spec = container({"exit", "0"});
  spec.network_namespace = "/proc/self/ns/net";
  EXPECT_EQ(start(spec).error, "the container's network namespace is the host's");
  spec.network_namespace = world_->space.path();
  spec.privileged = true;
  EXPECT_EQ(start(spec).error, "privileged containers are not served");
  spec.privileged = false;
  spec.command = {"/nonexistent"};
  EXPECT_THAT(start(spec).error, HasSubstr("exec: \"/nonexistent\": stat /nonexistent: no such file or directory"));
  spec.image = "sha256:" + std::string(64, '0');
  EXPECT_THAT(start(spec).error, HasSubstr("The store has no manifest"));
}

TEST_F(RuncContainersTest, ShowsTheImagesAndTheTasksSettings) {
  sandbox();
  ContainerSpec spec = container({});
  spec.command.clear();
  spec.image = image({{"Entrypoint", {"/bin/target"}},
                      {"Cmd", {"show", "/etc/hosts", "/etc/resolv.conf", "/etc/hostname", "/proc/1/cgroup"}},
                      {"Env", {"FROM=image", "BOTH=image"}},
                      {"WorkingDir", "/work/here"},
                      {"User", "app"}},
                     {tar_file("etc/passwd", "root:x:0:0::/root:/bin/sh\napp:x:1234:99::/home/app:/bin/sh\n")});
  spec.environment = {{"BOTH", "task"}};
  spec.hosts = {{"db.local", "10.0.0.9"}};
  spec.dns_servers = {"10.0.0.2"};
  spec.dns_search = {"eu-west-1.compute.internal"};
  const std::vector<std::string> lines = output_of(spec);
  for (const char* expected :
       {"FROM=image", "BOTH=task", "HOME=/home/app", "HOSTNAME=ip-10-0-0-5",
        "SSL_CERT_FILE=/etc/ssl/certs/brume-ca-bundle.crt", "AWS_CA_BUNDLE=/etc/ssl/certs/brume-ca-bundle.crt",
        "hostname=ip-10-0-0-5 uid=1234 gid=99 pid=1 cwd=/work/here", "10.0.0.9\tdb.local", "127.0.0.1\tlocalhost",
        "nameserver 10.0.0.2", "search eu-west-1.compute.internal", "ip-10-0-0-5"}) {
    EXPECT_THAT(lines, Contains(expected));
  }
}

TEST_F(RuncContainersTest, TrustsThisCloudsAuthorityBesideTheImagesOwn) {
  sandbox();
  ContainerSpec spec = container({"show", "/etc/ssl/certs/brume-ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt"});
  spec.image = image({}, {tar_file("etc/ssl/certs/ca-certificates.crt", "PUBLIC ROOTS\n")});
  spec.environment = {{"CURL_CA_BUNDLE", "/own"}};
  const std::vector<std::string> lines = output_of(spec);
  EXPECT_EQ(std::ranges::count(lines, "OUR AUTHORITY"), 2);
  EXPECT_EQ(std::ranges::count(lines, "PUBLIC ROOTS"), 1);
  EXPECT_THAT(lines, Contains("CURL_CA_BUNDLE=/own"));
}

TEST_F(RuncContainersTest, LimitsMemoryAndCpuAsTheKernelSays) {
  sandbox({"t1", "host", 512 << 20, 256});
  ContainerSpec spec = container({"term"});
  spec.memory_bytes = 64 << 20;
  spec.cpu_shares = 128;
  ASSERT_EQ(start(spec).error, "");
  const CgroupLayout layout = cgroup_layout();
  if (layout.version_2 || layout.memory.empty()) GTEST_SKIP() << "the figures below are of cgroup version 1";
  const auto value = [&](const std::string& root, const std::string& rest) {
    std::string text;
    std::ifstream(root + world_->instance.cgroup() + rest) >> text;
    return text;
  };
  EXPECT_EQ(value(layout.cpu, "/t1/cpu.cfs_quota_us"), "25000");
  EXPECT_EQ(value(layout.memory, "/t1/memory.limit_in_bytes"), std::to_string(512 << 20));
  EXPECT_EQ(value(layout.memory, "/t1/app/memory.limit_in_bytes"), std::to_string(64 << 20));
  EXPECT_EQ(value(layout.memory, "/t1/app/memory.memsw.limit_in_bytes"), std::to_string(64 << 20));
  EXPECT_EQ(value(layout.cpu, "/t1/app/cpu.shares"), "128");
  ASSERT_TRUE(ready());
  const auto usage = world_->loop.await<Usage>([&](auto done) { world_->containers->usage("t1/app", done); });
  EXPECT_GT(usage.cpu_ns, 0U);
  EXPECT_GT(usage.memory_bytes, 0U);
  EXPECT_EQ(usage.memory_limit_bytes, 64U << 20U);
}

TEST_F(RuncContainersTest, SeesThatMemoryRanOut) {
  sandbox();
  ContainerSpec spec = container({"allocate", "200"});
  spec.memory_bytes = 32 << 20;
  ASSERT_EQ(start(spec).error, "");
  const ContainerState state = exit_of();
  EXPECT_EQ(state.exit.signal, SIGKILL);
  EXPECT_TRUE(state.out_of_memory);
}

// All of a task's containers share what it may write; another task's are not concerned.
TEST_F(RuncContainersTest, KillsTheContainersOfATaskThatWritesMoreThanItMay) {
  sandbox({.id = "t1", .hostname = "host", .disk_bytes = 8 << 20});
  sandbox({.id = "t2", .hostname = "host", .disk_bytes = 64 << 20});
  ContainerSpec writer = container({"fill", "/data/file", "16"});
  writer.mounts = {{.source = world_->containers->volume_path("t1", "data"), .destination = "/data"}};
  ContainerSpec other = container({"fill", "/file", "16"}, "other");
  other.id = "t2/other";
  other.sandbox = "t2";
  ASSERT_EQ(start(other).error, "");
  ASSERT_EQ(start(container({"ignore"}, "sidecar")).error, "");
  ASSERT_EQ(start(writer).error, "");
  EXPECT_EQ(exit_of().exit.signal, SIGKILL);
  EXPECT_TRUE(exit_of().out_of_disk);
  EXPECT_TRUE(exit_of("t1/sidecar").out_of_disk);
  EXPECT_TRUE(until([&] { return world_->containers->disk_usage("t2") >= 16U << 20U; }));
  EXPECT_FALSE(world_->exits.contains("t2/other"));
  EXPECT_EQ(remove(), "");
  EXPECT_EQ(world_->containers->disk_usage("t1"), 0U);
}

TEST_F(RuncContainersTest, RemembersAfterARestartWhatATaskMayWrite) {
  sandbox({.id = "t1", .hostname = "host", .disk_bytes = 8 << 20});
  ASSERT_EQ(start(container({"term"})).error, "");
  ASSERT_TRUE(ready());
  world_->connect();
  ASSERT_EQ(recover().size(), 1U);
  ASSERT_EQ(start(container({"fill", "/file", "16"}, "writer")).error, "");
  EXPECT_TRUE(exit_of().out_of_disk);
}

TEST_F(RuncContainersTest, StopsWithTheImagesSignalAndThenKills) {
  sandbox();
  ContainerSpec polite = container({"term"});
  polite.image = image({{"StopSignal", "SIGINT"}});
  ContainerSpec stubborn = container({"ignore"}, "stubborn");
  ASSERT_EQ(start(polite).error, "");
  ASSERT_EQ(start(stubborn).error, "");
  ASSERT_TRUE(ready() && ready("t1/stubborn"));
  stop("t1/app", 30);
  stop("t1/stubborn", 1);
  EXPECT_EQ(exit_of().exit.code, 7);
  EXPECT_EQ(lines_of().back(), "signal 2");
  EXPECT_FALSE(exit_of().out_of_memory);
  EXPECT_EQ(exit_of("t1/stubborn").exit.signal, SIGKILL);
}

TEST_F(RuncContainersTest, RunsHealthChecksInside) {
  sandbox();
  ASSERT_EQ(start(container({"term"})).error, "");
  ASSERT_TRUE(ready());
  EXPECT_EQ(exec({"/bin/target", "exit", "0"}).code, 0);
  EXPECT_EQ(exec({"/bin/target", "exit", "3"}).code, 3);
  EXPECT_THAT(exec({"/bin/target", "show"}).output, HasSubstr("HOSTNAME=ip-10-0-0-5"));
  EXPECT_NE(exec({"/nonexistent"}).code, 0);
  EXPECT_LE(exec({"/bin/target", "count", "5000"}).output.size(), 4096U);
  const Containers::ExecResult late = exec({"/bin/target", "ignore"}, 1);
  EXPECT_EQ(late.code, -1);
  // What was run goes too: only the container's own process stays in its cgroup.
  const std::string processes = keeper::cgroup_roots().at(0) + world_->instance.cgroup() + "/t1/app/cgroup.procs";
  const auto count = [&] {
    std::ifstream file(processes);
    return std::count(std::istreambuf_iterator<char>(file), {}, '\n');
  };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (count() > 1 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_EQ(count(), 1);
}

TEST_F(RuncContainersTest, MountsVolumesAndKeepsTheRootReadOnly) {
  sandbox();
  const std::string volume = world_->containers->volume_path("t1", "data");
  ContainerSpec spec = container({"touch", "/data/file"});
  spec.mounts = {{.source = volume, .destination = "/data"},
                 {.kind = Mount::Kind::tmpfs, .destination = "/scratch", .size_bytes = 1 << 20}};
  spec.read_only_root = true;
  output_of(spec);
  EXPECT_EQ(exit_of().exit.code, 0);
  EXPECT_TRUE(std::filesystem::exists(volume + "/file"));
  spec.command = {"/bin/target", "touch", "/file"};
  EXPECT_THAT(output_of(spec), Contains("/file: Read-only file system"));
  spec.command = {"/bin/target", "touch", "/scratch/file"};
  output_of(spec);
  EXPECT_EQ(exit_of().exit.code, 0);
}

TEST_F(RuncContainersTest, CannotDoWhatDockersDefaultsForbid) {
  sandbox();
  ContainerSpec spec = container({"show", "/proc/kcore", "/proc/self/status"});
  const std::vector<std::string> lines = output_of(spec);
  EXPECT_THAT(lines, Contains("CapEff:\t00000000a80425fb"));
  EXPECT_THAT(lines, Contains("CapBnd:\t00000000a80425fb"));
  EXPECT_THAT(lines, Contains("Seccomp:\t2"));
  spec.command = {"/bin/target", "touch", "/proc/sys/kernel/hostname"};
  EXPECT_THAT(output_of(spec), Contains("/proc/sys/kernel/hostname: Read-only file system"));
}

// The daemon is gone while the container writes, ends and is replaced by the next one.
TEST_F(RuncContainersTest, RunsOnWithoutTheDaemonWhichAdoptsItLater) {
  sandbox();
  ASSERT_EQ(start(container({"term"})).error, "");
  ASSERT_EQ(start(container({"count", "20000"}, "writer")).error, "");
  ASSERT_TRUE(ready());
  const ContainerState alive = [&] {
    world_->connect();
    const auto states = recover();
    EXPECT_EQ(states.size(), 2U);
    for (const ContainerState& state : states) {
      if (state.id == "t1/app") return state;
    }
    return ContainerState{};
  }();
  EXPECT_TRUE(alive.running);
  EXPECT_GT(alive.pid, 0);
  EXPECT_EQ(exec({"/bin/target", "exit", "5"}).code, 5);
  stop("t1/app", 30);
  EXPECT_EQ(exit_of().exit.code, 7);
  EXPECT_EQ(remove(), "");
}

TEST_F(RuncContainersTest, LosesNoLineOfAContainerWhenTheDaemonGoes) {
  sandbox();
  ASSERT_EQ(start(container({"count", "20000"})).error, "");
  std::set<int> seen;
  const auto collect = [&] {
    for (const std::string& text : lines_of()) seen.insert(std::stoi(text));
  };
  ASSERT_TRUE(ready());
  for (int round = 0; round < 3; ++round) {
    collect();
    world_->connect();
  }
  const auto states = recover();
  ASSERT_EQ(states.size(), 1U);
  ASSERT_TRUE(until([&] {
    collect();
    return seen.size() == 20'000;
  })) << seen.size()
      << " lines, the last is " << *seen.rbegin();
  EXPECT_EQ(remove(), "");
}

// A namespace without a way out: the error is the pull's own, and the host's network is not asked instead.
TEST_F(RuncContainersTest, PullsInTheInternetNamespaceOnly) {
  if (std::system("skopeo --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "skopeo is not installed";
  std::ofstream(world_->instance.directory() + "/resolv.conf") << "nameserver 127.0.0.1\n";
  const auto images =
      make_images({world_->instance.directory() + "/other", world_->space.path(),
                   world_->instance.directory() + "/resolv.conf", [](std::string_view) { return false; }},
                  *world_->client, world_->workers, world_->loop);
  const auto error = world_->loop.await<std::string>([&](auto done) {
    images->pull("registry.example:5000/a:1", [done](const std::string&, const std::string& why) { done(why); });
  });
  EXPECT_THAT(error, HasSubstr("registry.example"));
  EXPECT_THAT(error, HasSubstr("127.0.0.1:53"));
}

// The machine's restart takes the same way: nobody can tell what ran, so it is ended, and its remains are removed.
TEST_F(RuncContainersTest, EndsAndRemovesWhatAKilledKeeperLeft) {
  int keeper = 0;
  world_->client->on_connected([&](const KeeperClient::Connected& connected) { keeper = connected.pid; });
  sandbox({"t1", "host", 64 << 20, 256});
  const Containers::Started started = start(container({"ignore"}));
  ASSERT_EQ(started.error, "");
  ASSERT_GT(keeper, 0);
  ASSERT_EQ(::kill(keeper, SIGKILL), 0);
  EXPECT_EQ(exit_of().exit.signal, SIGKILL);
  // A process that nobody has reaped yet has no command line.
  std::string command;
  std::ifstream("/proc/" + std::to_string(started.pid) + "/cmdline") >> command;
  EXPECT_EQ(command, "");
  world_->connect();
  EXPECT_TRUE(recover().empty());
  EXPECT_FALSE(std::filesystem::exists(world_->instance.state_directory() + "/containers/sandboxes/t1"));
  for (const std::string& root : keeper::cgroup_roots()) {
    EXPECT_FALSE(std::filesystem::exists(root + world_->instance.cgroup() + "/t1")) << root;
  }
  sandbox();
  EXPECT_EQ(start(container({"ignore"})).error, "");
}

TEST_F(RuncContainersTest, SetsTheNetworksKernelParameters) {
  sandbox();
  ContainerSpec spec = container({"show", "/proc/sys/net/ipv4/tcp_keepalive_time"});
  spec.sysctls = {{"net.ipv4.tcp_keepalive_time", "61"}};
  EXPECT_THAT(output_of(spec), Contains("61"));
}

TEST_F(RuncContainersTest, RemovesASandboxWithItsRunningContainers) {
  sandbox();
  const Containers::Started started = start(container({"ignore"}));
  ASSERT_EQ(started.error, "");
  EXPECT_EQ(remove(), "");
  EXPECT_EQ(::kill(started.pid, 0), -1);
  EXPECT_FALSE(std::filesystem::exists(world_->instance.state_directory() + "/containers/sandboxes/t1"));
  EXPECT_TRUE(std::filesystem::is_empty(world_->instance.run_directory() + "/runc"));
  EXPECT_THAT(start(container({"ignore"})).error, HasSubstr("There is no sandbox t1"));
}

}  // namespace
}  // namespace brume::containers

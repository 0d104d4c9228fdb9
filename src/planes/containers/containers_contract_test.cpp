// What every Containers promises, asked of the real one and of the fake.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "planes/containers/fake_containers.h"
#include "planes/containers/test_world.h"

namespace brume::containers {
namespace {

using ::testing::HasSubstr;

class Harness {
 public:
  virtual ~Harness() = default;
  virtual testing::TestLoop& loop() = 0;
  virtual Containers& containers() = 0;
  virtual std::map<std::string, ContainerState>& exits() = 0;
  // A container of the sandbox t1 whose program takes one of the target's verbs.
  virtual ContainerSpec container(std::vector<std::string> command, const std::string& name) = 0;
  virtual void reconnect() = 0;
};

class RealHarness final : public Harness {
 public:
  testing::TestLoop& loop() override { return world_.loop; }
  Containers& containers() override { return *world_.containers; }
  std::map<std::string, ContainerState>& exits() override { return world_.exits; }
  ContainerSpec container(std::vector<std::string> command, const std::string& name) override {
    return world_.container(std::move(command), name);
  }
  void reconnect() override { world_.connect(); }

 private:
  testing::TestWorld world_;
};

class FakeHarness final : public Harness {
 public:
  FakeHarness() {
    fake_.on_start = [this](const ContainerSpec& spec) -> std::string {
      if (spec.command.at(0) == "/nonexistent") return "exec: \"/nonexistent\": no such file or directory";
      if (spec.command.at(1) == "exit") fake_.end(spec.id, {std::stoi(spec.command.at(2)), 0, 0});
      return "";
    };
    fake_.on_stop = [this](const std::string& id, int) {
      const bool ignores = fake_.specs.at(id).command.at(1) == "ignore";
      fake_.end(id, ignores ? ExitStatus{0, SIGKILL, 0} : ExitStatus{7, 0, 0});
    };
    fake_.on_exec = [](const std::string&, const std::vector<std::string>& command) {
      return Containers::ExecResult{std::stoi(command.at(2)), ""};
    };
    listen();
  }
  testing::TestLoop& loop() override { return loop_; }
  Containers& containers() override { return fake_; }
  std::map<std::string, ContainerState>& exits() override { return exits_; }
  ContainerSpec container(std::vector<std::string> command, const std::string& name) override {
    ContainerSpec spec;
    spec.id = "t1/" + name;
    spec.sandbox = "t1";
    spec.command = std::move(command);
    spec.command.insert(spec.command.begin(), "/bin/target");
    return spec;
  }
  void reconnect() override {
    fake_.reconnect();
    listen();
  }

 private:
  void listen() {
    exits_.clear();
    fake_.on_exit([this](const ContainerState& state) { exits_[state.id] = state; });
  }
  testing::TestLoop loop_;
  FakeContainers fake_{loop_};
  std::map<std::string, ContainerState> exits_;
};

class ContainersContract : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    const std::string reason = GetParam() ? testing::no_containers_because() : "";
    if (!reason.empty()) GTEST_SKIP() << reason;
    if (GetParam()) {
      harness_ = std::make_unique<RealHarness>();
    } else {
      harness_ = std::make_unique<FakeHarness>();
    }
  }
  Containers& containers() { return harness_->containers(); }
  std::string create(const std::string& id = "t1") {
    return harness_->loop().await<std::string>(
        [&](auto done) { containers().create_sandbox({id, "host", 0, 0}, done); });
  }
  std::string remove() {
    return harness_->loop().await<std::string>([&](auto done) { containers().remove_sandbox("t1", done); });
  }
  Containers::Started start(std::vector<std::string> command) {
    return start_spec(harness_->container(std::move(command), "app"));
  }
  Containers::Started start_spec(const ContainerSpec& spec) {
    return harness_->loop().await<Containers::Started>([&](auto done) { containers().start(spec, done); });
  }
  Containers::ExecResult exec(std::vector<std::string> command) {
    return harness_->loop().await<Containers::ExecResult>(
        [&](auto done) { containers().exec("t1/app", command, 10, done); });
  }
  std::vector<ContainerState> recover() {
    return harness_->loop().await<std::vector<ContainerState>>([&](auto done) { containers().recover(done); });
  }
  ContainerState exit_of(const std::string& id = "t1/app") {
    EXPECT_TRUE(harness_->loop().run_until([&] { return harness_->exits().contains(id); }));
    return harness_->exits()[id];
  }
  std::unique_ptr<Harness> harness_;
};

TEST_P(ContainersContract, TellsTheExitCode) {
  ASSERT_EQ(create(), "");
  const Containers::Started started = start({"exit", "3"});
  EXPECT_EQ(started.error, "");
  EXPECT_GT(started.pid, 0);
  const ContainerState state = exit_of();
  EXPECT_FALSE(state.running);
  EXPECT_EQ(state.exit.code, 3);
  EXPECT_GT(state.exit.at_ms, 1'600'000'000'000);
  EXPECT_FALSE(state.out_of_memory);
}

TEST_P(ContainersContract, NeedsASandbox) {
  EXPECT_EQ(start({"exit", "0"}).error, "There is no sandbox t1");
  EXPECT_THAT(create("../evil"), HasSubstr("is not a sandbox's name"));
  ASSERT_EQ(create(), "");
  ContainerSpec spec = harness_->container({"exit", "0"}, "app");
  spec.id = "t2/app";
  EXPECT_THAT(start_spec(spec).error, HasSubstr("is not a container's name in the sandbox t1"));
}

TEST_P(ContainersContract, SaysWhyItCannotStartAndLeavesTheNameFree) {
  ASSERT_EQ(create(), "");
  ContainerSpec spec = harness_->container({"exit", "0"}, "app");
  spec.command = {"/nonexistent"};
  const Containers::Started started = start_spec(spec);
  EXPECT_EQ(started.pid, 0);
  EXPECT_THAT(started.error, HasSubstr("exec: \"/nonexistent\":"));
  EXPECT_EQ(start({"exit", "0"}).error, "");
  EXPECT_EQ(exit_of().exit.code, 0);
}

TEST_P(ContainersContract, RunsOnceAtATimeAndAgainAfterItsEnd) {
  ASSERT_EQ(create(), "");
  ASSERT_EQ(start({"ignore"}).error, "");
  EXPECT_EQ(start({"ignore"}).error, "The container t1/app is running");
  containers().stop("t1/app", 0);
  EXPECT_EQ(exit_of().exit.signal, SIGKILL);
  harness_->exits().clear();
  EXPECT_EQ(start({"exit", "4"}).error, "");
  EXPECT_EQ(exit_of().exit.code, 4);
}

TEST_P(ContainersContract, ExecutesInARunningContainerOnly) {
  ASSERT_EQ(create(), "");
  EXPECT_EQ(exec({"/bin/target", "exit", "0"}).code, -1);
  ASSERT_EQ(start({"ignore"}).error, "");
  EXPECT_EQ(exec({"/bin/target", "exit", "0"}).code, 0);
  EXPECT_EQ(exec({"/bin/target", "exit", "2"}).code, 2);
}

TEST_P(ContainersContract, RemovingASandboxEndsItsContainers) {
  ASSERT_EQ(create(), "");
  ASSERT_EQ(start({"ignore"}).error, "");
  EXPECT_EQ(remove(), "");
  EXPECT_EQ(exit_of().exit.signal, SIGKILL);
  EXPECT_EQ(start({"exit", "0"}).error, "There is no sandbox t1");
  EXPECT_TRUE(recover().empty());
  EXPECT_EQ(remove(), "");  // of nothing: no error
}

TEST_P(ContainersContract, TheNextDaemonFindsWhatRunsAndWhatHasEnded) {
  ASSERT_EQ(create(), "");
  ASSERT_EQ(start({"ignore"}).error, "");
  ASSERT_EQ(start_spec(harness_->container({"exit", "6"}, "ended")).error, "");
  exit_of("t1/ended");
  harness_->reconnect();
  std::vector<ContainerState> states = recover();
  ASSERT_EQ(states.size(), 2U);
  std::ranges::sort(states, {}, &ContainerState::id);
  EXPECT_TRUE(states[0].running);
  EXPECT_GT(states[0].pid, 0);
  EXPECT_FALSE(states[1].running);
  EXPECT_EQ(states[1].exit.code, 6);
  // The sandbox is known too.
  EXPECT_EQ(start_spec(harness_->container({"exit", "8"}, "later")).error, "");
  EXPECT_EQ(exit_of("t1/later").exit.code, 8);
  EXPECT_EQ(remove(), "");
  EXPECT_EQ(exit_of().exit.signal, SIGKILL);
}

TEST_P(ContainersContract, KeepsVolumesApart) {
  ASSERT_EQ(create(), "");
  EXPECT_EQ(containers().volume_path("t1", "a"), containers().volume_path("t1", "a"));
  EXPECT_NE(containers().volume_path("t1", "a"), containers().volume_path("t1", "b"));
}

INSTANTIATE_TEST_SUITE_P(Planes, ContainersContract, ::testing::Bool(),
                         [](const auto& tested) { return tested.param ? "Real" : "Fake"; });

}  // namespace
}  // namespace brume::containers

// What every Keeper promises, asked of the real one and of the fake.
#include <gtest/gtest.h>

#include <unistd.h>

#include <csignal>
#include <map>
#include <memory>

#include "planes/keeper/fake_keeper.h"
#include "planes/keeper/keeper_client.h"
#include "planes/keeper/test_instance.h"
#include "planes/keeper/test_loop.h"

namespace brume {
namespace {

using testing::TestInstance;
using testing::TestLoop;

// What a program does, for a shell and for the fake alike.
struct Program {
  std::vector<std::string> lines;
  bool stays = false;         // until a signal comes
  bool ignores_term = false;  // stays through SIGTERM
  bool echoes = false;        // writes each line of its input
  int code = 0;
};

class Harness {
 public:
  virtual ~Harness() = default;
  virtual Keeper& keeper() = 0;
  virtual SpawnSpec program(const std::string& id, const Program& program) = 0;
  virtual void reconnect() = 0;   // another daemon
  virtual void pass_grace() = 0;  // real time passes by itself

  TestLoop loop;
  std::vector<Keeper::Line> lines;
  std::vector<Child> exits;

 protected:
  void listen() {
    lines.clear();
    exits.clear();
    keeper().on_lines([this](std::vector<Keeper::Line> more) { lines.insert(lines.end(), more.begin(), more.end()); });
    keeper().on_exit([this](const Child& child) { exits.push_back(child); });
  }
};

class RealHarness final : public Harness {
 public:
  RealHarness() { connect(); }
  ~RealHarness() override {
    bool down = false;
    client_->shut_down([&] { down = true; });
    EXPECT_TRUE(loop.run_until([&] { return down; }));
  }
  Keeper& keeper() override { return *client_; }
  SpawnSpec program(const std::string& id, const Program& program) override {
    std::string script;
    if (program.ignores_term) script += "trap '' TERM; ";
    for (const std::string& line : program.lines) script += "echo '" + line + "'; ";
    if (program.echoes) script += "while read line; do echo \"$line\"; done; ";
    if (program.stays) script += program.ignores_term ? "while :; do sleep 1; done; " : "exec sleep 1000; ";
    script += "exit " + std::to_string(program.code);
    SpawnSpec spec;
    spec.id = id;
    spec.owner = "test";
    spec.arguments = {"/bin/sh", "-c", script};
    spec.environment = {"PATH=/usr/bin:/bin"};
    spec.input_pipe = program.echoes;
    return spec;
  }
  void reconnect() override {
    client_.reset();
    connect();
  }
  void pass_grace() override {}

 private:
  void connect() {
    client_ = make_keeper_client(instance_.options(), loop);
    listen();
  }
  TestInstance instance_;
  std::unique_ptr<KeeperClient> client_;
};

class FakeHarness final : public Harness {
 public:
  FakeHarness() {
    fake_.on_spawn = [this](const SpawnSpec& spec) -> std::string {
      const auto found = programs_.find(spec.id);
      if (found == programs_.end()) return "exec " + spec.arguments.at(0) + ": No such file or directory";
      for (const std::string& line : found->second.lines) fake_.write_line(spec.id, line);
      if (!found->second.stays && !found->second.echoes) fake_.end_child(spec.id, {found->second.code, 0, 0});
      return "";
    };
    fake_.on_signal = [this](const std::string& id, int signal) {
      if (!programs_[id].ignores_term || signal != SIGTERM) fake_.end_child(id, {0, signal, 0});
    };
    fake_.on_input = [this](const std::string& id, const std::string& bytes) {
      fake_.write_line(id, bytes.substr(0, bytes.find('\n')));
    };
    fake_.on_run = [](const RunSpec& spec) {
      if (spec.arguments.back().find("sleep") != std::string::npos) return RunResult{.timed_out = true};
      return RunResult{.code = 4, .out = "out\n", .err = "err\n"};
    };
    listen();
  }
  Keeper& keeper() override { return fake_; }
  SpawnSpec program(const std::string& id, const Program& program) override {
    programs_[id] = program;
    SpawnSpec spec;
    spec.id = id;
    spec.owner = "test";
    spec.arguments = {"program"};
    return spec;
  }
  void reconnect() override {
    fake_.reconnect();
    listen();
  }
  void pass_grace() override { fake_.pass_grace(); }

 private:
  FakeKeeper fake_{loop};
  std::map<std::string, Program> programs_;
};

class KeeperContract : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam() && ::geteuid() != 0) GTEST_SKIP() << "the real keeper's mount namespace needs root";
    if (GetParam()) {
      harness_ = std::make_unique<RealHarness>();
    } else {
      harness_ = std::make_unique<FakeHarness>();
    }
  }
  Keeper& keeper() { return harness_->keeper(); }
  Keeper::Spawned spawn(const std::string& id, const Program& program) { return spawn(harness_->program(id, program)); }
  Keeper::Spawned spawn(const SpawnSpec& spec) {
    return harness_->loop.await<Keeper::Spawned>([&](auto done) { keeper().spawn(spec, done); });
  }
  bool until(const std::function<bool()>& done) { return harness_->loop.run_until(done); }
  std::vector<std::string> texts() const {
    std::vector<std::string> out;
    for (const Keeper::Line& line : harness_->lines) out.push_back(line.text);
    return out;
  }
  std::unique_ptr<Harness> harness_;
};

TEST_P(KeeperContract, TellsLinesInOrderAndThenTheExitCode) {
  ASSERT_GT(spawn("a", {.lines = {"one", "two"}, .code = 3}).pid, 0);
  ASSERT_TRUE(until([&] { return !harness_->exits.empty(); }));
  EXPECT_EQ(texts(), (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(harness_->lines[0].sequence, 1U);
  EXPECT_EQ(harness_->lines[1].sequence, 2U);
  EXPECT_GT(harness_->lines[0].at_ms, 1'600'000'000'000);
  const Child& child = harness_->exits[0];
  EXPECT_EQ(child.id, "a");
  EXPECT_EQ(child.owner, "test");
  EXPECT_FALSE(child.running);
  EXPECT_EQ(child.exit.code, 3);
  EXPECT_EQ(child.exit.signal, 0);
}

TEST_P(KeeperContract, RefusesAnIdThatIsNotForgotten) {
  ASSERT_GT(spawn("a", {.code = 0}).pid, 0);
  ASSERT_TRUE(until([&] { return !harness_->exits.empty(); }));
  EXPECT_EQ(spawn("a", {}).pid, 0);
  keeper().forget("a");
  EXPECT_GT(spawn("a", {}).pid, 0);
}

TEST_P(KeeperContract, DoesNotForgetTheLiving) {
  ASSERT_GT(spawn("a", {.stays = true}).pid, 0);
  keeper().forget("a");
  const auto children = harness_->loop.await<std::vector<Child>>([&](auto done) { keeper().list(done); });
  ASSERT_EQ(children.size(), 1U);
  EXPECT_TRUE(children[0].running);
  EXPECT_GT(children[0].pid, 0);
}

TEST_P(KeeperContract, SaysWhyAProgramCannotStart) {
  SpawnSpec spec;
  spec.id = "none";
  spec.arguments = {"/nonexistent/program"};
  const Keeper::Spawned spawned = spawn(spec);
  EXPECT_EQ(spawned.pid, 0);
  EXPECT_EQ(spawned.error, "exec /nonexistent/program: No such file or directory");
}

TEST_P(KeeperContract, SignalsEndTheChildAndTheUnknownIsNothing) {
  ASSERT_GT(spawn("a", {.stays = true}).pid, 0);
  keeper().signal("unknown", SIGTERM);
  keeper().signal("a", SIGTERM);
  ASSERT_TRUE(until([&] { return !harness_->exits.empty(); }));
  EXPECT_EQ(harness_->exits[0].exit.signal, SIGTERM);
  keeper().signal("a", SIGTERM);
}

TEST_P(KeeperContract, StopKillsWhatDoesNotEndInTime) {
  ASSERT_GT(spawn("a", {.lines = {"ready"}, .stays = true, .ignores_term = true}).pid, 0);
  ASSERT_TRUE(until([&] { return !harness_->lines.empty(); }));
  keeper().stop("a", SIGTERM, 100);
  harness_->pass_grace();
  ASSERT_TRUE(until([&] { return !harness_->exits.empty(); }));
  EXPECT_EQ(harness_->exits[0].exit.signal, SIGKILL);
}

TEST_P(KeeperContract, FeedsStandardInput) {
  ASSERT_GT(spawn("a", {.echoes = true}).pid, 0);
  keeper().write_input("a", "hello\n");
  ASSERT_TRUE(until([&] { return !harness_->lines.empty(); }));
  EXPECT_EQ(texts(), std::vector<std::string>{"hello"});
}

TEST_P(KeeperContract, TellsTheNextDaemonWhatWasNotAcknowledged) {
  ASSERT_GT(spawn("a", {.lines = {"one", "two", "three"}, .code = 7}).pid, 0);
  ASSERT_TRUE(until([&] { return !harness_->exits.empty(); }));
  keeper().acknowledge("a", 1);
  harness_->reconnect();
  ASSERT_TRUE(until([&] { return !harness_->exits.empty(); }));
  EXPECT_EQ(texts(), (std::vector<std::string>{"two", "three"}));
  EXPECT_EQ(harness_->lines[0].sequence, 2U);
  EXPECT_EQ(harness_->exits[0].exit.code, 7);

  keeper().acknowledge("a", 3);
  keeper().forget("a");
  harness_->reconnect();
  const auto children = harness_->loop.await<std::vector<Child>>([&](auto done) { keeper().list(done); });
  EXPECT_TRUE(children.empty());
  EXPECT_TRUE(harness_->lines.empty());
  EXPECT_TRUE(harness_->exits.empty());
}

TEST_P(KeeperContract, RunsAProgramToItsEnd) {
  RunSpec spec;
  spec.arguments = {"/bin/sh", "-c", "echo out; echo err >&2; exit 4"};
  const auto result = harness_->loop.await<RunResult>([&](auto done) { keeper().run(spec, done); });
  EXPECT_EQ(result.code, 4);
  EXPECT_EQ(result.out, "out\n");
  EXPECT_EQ(result.err, "err\n");
  EXPECT_FALSE(result.timed_out);
}

TEST_P(KeeperContract, EndsARunWhoseTimeIsUp) {
  RunSpec spec;
  spec.arguments = {"/bin/sh", "-c", "sleep 1000"};
  spec.timeout_ms = 50;
  const auto result = harness_->loop.await<RunResult>([&](auto done) { keeper().run(spec, done); });
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.code, -1);
}

INSTANTIATE_TEST_SUITE_P(Keepers, KeeperContract, ::testing::Bool(),
                         [](const auto& tested) { return tested.param ? "Real" : "Fake"; });

}  // namespace
}  // namespace brume

// What the keeper costs: a spawn until its exit is told, a line to a child and back, log lines through the spool.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string_view>

#include "planes/keeper/keeper_client.h"
#include "planes/keeper/keeper_process.h"
#include "planes/keeper/test_instance.h"
#include "planes/keeper/test_loop.h"

namespace brume {
namespace {

using Clock = std::chrono::steady_clock;

double microseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

class Bench {
 public:
  Bench() {
    client_->on_lines([this](const std::vector<Keeper::Line>& lines) {
      lines_ += lines.size();
      client_->acknowledge(lines.back().id, lines.back().sequence);
    });
    client_->on_exit([this](const Child&) { ++exits_; });
  }
  ~Bench() {
    loop_.await<bool>([&](auto done) { client_->shut_down([done] { done(true); }); });
  }
  void spawn(const std::string& id, std::vector<std::string> arguments, bool input = false) {
    SpawnSpec spec;
    spec.id = id;
    spec.arguments = std::move(arguments);
    spec.environment = {"PATH=/usr/bin:/bin"};
    spec.input_pipe = input;
    loop_.await<Keeper::Spawned>([&](auto done) { client_->spawn(spec, done); });
  }
  void spawn_and_exit(int rounds) {
    std::vector<double> times;
    for (int i = 0; i < rounds; ++i) {
      const auto begin = Clock::now();
      spawn("true", {"true"});
      loop_.run_until([&] { return exits_ == i + 1; });
      times.push_back(microseconds_since(begin));
      client_->forget("true");
    }
    std::printf("spawn of true until its exit is told: %.0f us\n", median(times));
  }
  void echo(int rounds) {
    spawn("cat", {"cat"}, true);
    std::vector<double> times;
    for (int i = 0; i < rounds; ++i) {
      const std::uint64_t before = lines_;
      const auto begin = Clock::now();
      client_->write_input("cat", "line\n");
      loop_.run_until([&] { return lines_ > before; });
      times.push_back(microseconds_since(begin));
    }
    std::printf("a line to cat and back: %.0f us\n", median(times));
  }
  void flood(std::uint64_t count) {
    const std::uint64_t before = lines_;
    const auto begin = Clock::now();
    spawn("seq", {"seq", std::to_string(count)});
    loop_.run_until([&] { return lines_ - before >= count; }, std::chrono::seconds(60));
    const double seconds = microseconds_since(begin) / 1e6;
    std::printf("%llu log lines delivered and acknowledged: %.2f million a second\n",
                static_cast<unsigned long long>(lines_ - before), static_cast<double>(count) / seconds / 1e6);
  }

 private:
  testing::TestInstance instance_;
  testing::TestLoop loop_;
  std::unique_ptr<KeeperClient> client_ = make_keeper_client(instance_.options(), loop_);
  std::uint64_t lines_ = 0;
  int exits_ = 0;
};

}  // namespace
}  // namespace brume

int main(int count, char** arguments) {
  if (count > 1 && std::string_view(arguments[1]) == "keep") return brume::keeper_main(count - 2, arguments + 2);
  if (::geteuid() != 0) return std::puts("skipped: the keeper's mount namespace needs root here"), 0;
  brume::Bench bench;
  bench.spawn_and_exit(101);
  bench.echo(501);
  bench.flood(2'000'000);
}

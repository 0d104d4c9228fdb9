// Writes per second: surviving kill -9, and surviving a power cut with one, eight and sixty-four writers that each wait
// for their own. The directory is BRUME_BENCH_DIRECTORY, since /tmp may be no disk.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <semaphore>

#include "core/testing.h"
#include "store/store.h"

namespace brume {
namespace {

Batch one_write(std::uint64_t number) {
  return {{{"t/bench.record/000000000000/eu-west-1/" + std::to_string(number % 10'000), std::string(300, 'x')}}};
}

std::unique_ptr<Store> open_for_bench(const TemporaryDirectory& temporary, Durability durability) {
  const char* chosen = std::getenv("BRUME_BENCH_DIRECTORY");
  const std::string parent = chosen != nullptr ? chosen : temporary.path();
  return open_store(parent + "/store-" + std::to_string(::getpid()), durability);
}

void BM_WriteSurvivesProcessDeath(benchmark::State& state) {
  const TemporaryDirectory temporary;
  const auto store = open_for_bench(temporary, Durability::process_death);
  std::uint64_t number = 0;
  for (auto _ : state) store->write(one_write(++number));
  state.SetItemsProcessed(static_cast<std::int64_t>(number));
}
BENCHMARK(BM_WriteSurvivesProcessDeath)->UseRealTime();

// As the control thread does it: it writes on while answers wait, as many at once as there are clients.
void BM_WriteSurvivesPowerLoss(benchmark::State& state) {
  const TemporaryDirectory temporary;
  const auto store = open_for_bench(temporary, Durability::power_loss);
  std::counting_semaphore<> free(static_cast<std::ptrdiff_t>(state.range(0)));
  std::uint64_t number = 0;
  for (auto _ : state) {
    free.acquire();
    store->write(one_write(++number));
    store->when_durable([&free] { free.release(); });
  }
  for (int i = 0; i < state.range(0); ++i) free.acquire();
  state.SetItemsProcessed(static_cast<std::int64_t>(number));
}
BENCHMARK(BM_WriteSurvivesPowerLoss)->Arg(1)->Arg(8)->Arg(64)->UseRealTime();

}  // namespace
}  // namespace brume

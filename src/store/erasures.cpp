#include "store/erasures.h"

#include <utility>
#include <vector>

#include "core/fault.h"
#include "core/log.h"

namespace brume {
namespace {

// Key: this prefix and the first key of the range; value: the first key behind it.
constexpr std::string_view kNotes = "e/";

void erase_noted(Store& store, const std::string& from, const std::string& until) {
  store.erase_range(from, until);
  Batch batch;
  batch.changes.push_back({std::string(kNotes) + from, std::nullopt});
  store.write(batch);
}

}  // namespace

void erase_range_after(Tx& tx, std::string from, std::string until) {
  tx.put(std::string(kNotes) + from, until);
  tx.on_commit([&store = tx.store(), from = std::move(from), until = std::move(until)] {
    fault_point("store.erasing");
    try {
      erase_noted(store, from, until);
    } catch (const StoreError& error) {  // what was asked for is done; the rest waits for the next start
      log::warning("store", "what was deleted takes room until the next start: " + error.message);
    }
  });
}

void finish_erasures(Store& store) {
  std::vector<std::pair<std::string, std::string>> noted;
  store.scan(kNotes, prefix_end(kNotes), [&](std::string_view key, std::string_view until) {
    noted.emplace_back(key.substr(kNotes.size()), until);
    return true;
  });
  for (const auto& [from, until] : noted) erase_noted(store, from, until);
}

}  // namespace brume

// When access keys and roles were used last, and for what. The authorizer notes it of every request, in memory; it is
// written to the store lazily and in batches, so that no request pays for it: a kill loses what is younger than
// kLaziness of the cloud's time, a stop loses nothing. Owned by Iam; control thread.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/runtime.h"
#include "core/scope.h"
#include "services/iam/records.h"
#include "store/table.h"

namespace brume::iam {

class LastUses {
 public:
  explicit LastUses(Store& store) : store_(store), written_(store, {"iam.last-use", 1}) {}
  LastUses(const LastUses&) = delete;
  LastUses& operator=(const LastUses&) = delete;

  static constexpr Duration kLaziness = seconds(60);
  static constexpr std::size_t kBatch = 256;  // records a transaction: what a turn of the control thread may take

  // From now on what is noted is written within kLaziness. The loop ends before this does.
  void write_lazily(Control& control, const Clock& clock);
  // All that is noted and not yet written, at once. Throws StoreError.
  void write_rest();

  // `id` is an access key's id or a role's unique id.
  void note(const std::string& account, std::string_view id, Time time, std::string_view service,
            std::string_view region);
  // Null: never, or before this was kept.
  const LastUseRecord* find(const std::string& account, std::string_view id) const;
  // With the key or the role.
  void erase(Tx& tx, const std::string& account, const std::string& id);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  struct Noted {
    std::string account;
    LastUseRecord use;
  };
  void write_batch();
  void write_when_due();
  void arm();

  Store& store_;
  Table<LastUseRecord> written_;
  std::unordered_map<std::string, Noted, Hash, std::equal_to<>> noted_;  // by id
  Control* control_ = nullptr;
  const Clock* clock_ = nullptr;
  bool armed_ = false;
};

}  // namespace brume::iam

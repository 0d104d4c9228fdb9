// One operation's changes: applied to resident tables at once, written as one atomic batch by commit, undone by
// rollback. Control thread only, one at a time.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/store.h"

namespace brume {

class Tx {
 public:
  explicit Tx(Store& store) : store_(store) {}
  Tx(const Tx&) = delete;
  Tx& operator=(const Tx&) = delete;
  ~Tx();  // rolls back unless committed

  void put(std::string key, std::string value);
  void erase(std::string key);
  // What this transaction wrote, else what the store holds.
  std::optional<std::string> get(std::string_view key) const;

  // Runs after the batch was written: wake a reconciler, publish an event. Never after a rollback.
  void on_commit(std::function<void()> function);
  // Runs when the transaction is undone, in reverse order of registration. Tables use it.
  void on_rollback(std::function<void()> function);

  void commit();  // throws StoreError after having rolled back
  void rollback();

  Store& store() const { return store_; }

 private:
  Store& store_;
  // By key: a later change of a key replaces the earlier one, and get() finds it.
  std::map<std::string, std::optional<std::string>, std::less<>> changes_;
  std::vector<std::function<void()>> commit_functions_;
  std::vector<std::function<void()>> rollback_functions_;
  bool ended_ = false;
};

}  // namespace brume

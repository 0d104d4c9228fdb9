#include "store/erasures.h"

#include <gtest/gtest.h>

#include <vector>

#include "store/keyspace.h"

namespace brume {
namespace {

std::vector<std::string> keys_of(const Store& store) {
  std::vector<std::string> keys;
  store.scan("", "", [&](std::string_view key, std::string_view) {
    keys.emplace_back(key);
    return true;
  });
  return keys;
}

std::unique_ptr<Store> filled() {
  auto store = memory_store();
  const Keyspace space(*store, "test.a");
  Tx tx(*store);
  for (const char* key : {"1/a", "1/b", "2/a"}) space.put(tx, key, "x");
  tx.commit();
  return store;
}

// Writes on until they are told to stop, as a disk does that fills up.
class FullStore final : public Store {
 public:
  explicit FullStore(Store& store) : store_(store) {}
  void write(const Batch& batch) override {
    check();
    store_.write(batch);
  }
  std::shared_ptr<Snapshot> snapshot() const override { return store_.snapshot(); }
  std::optional<std::string> get(std::string_view key) const override { return store_.get(key); }
  void scan(std::string_view from, std::string_view until, const Snapshot::Visit& visit, bool reverse) const override {
    store_.scan(from, until, visit, reverse);
  }
  void erase_range(std::string_view from, std::string_view until) override {
    check();
    store_.erase_range(from, until);
  }
  void sync() override {}
  void when_durable(Function then) override { then(); }
  Durability durability() const override { return Durability::process_death; }

  int writes_left = 0;

 private:
  void check() {
    if (writes_left-- <= 0) throw StoreFull("full");
  }
  Store& store_;
};

TEST(Erasures, GoWithTheCommitAndLeaveNothing) {
  const auto store = filled();
  const Keyspace space(*store, "test.a");
  Tx tx(*store);
  space.erase_range(tx, "1/", "10");
  EXPECT_TRUE(space.get("1/a")) << "not before the commit";
  tx.commit();
  EXPECT_EQ(keys_of(*store), (std::vector<std::string>{"k/test.a/2/a"}));
}

TEST(Erasures, StayOutWhenTheTransactionIsRolledBack) {
  const auto store = filled();
  {
    Tx tx(*store);
    Keyspace(*store, "test.a").erase_range(tx, "1/", "10");
  }
  finish_erasures(*store);
  EXPECT_EQ(keys_of(*store).size(), 3U);
}

// Whatever the moment at which the process ended: before the range's erasure, or before that of its note.
TEST(Erasures, AreFinishedAtTheNextStart) {
  for (const int writes : {1, 2}) {
    const auto store = filled();
    FullStore ending(*store);
    ending.writes_left = writes;
    const Keyspace space(ending, "test.a");
    Tx tx(ending);
    space.erase_range(tx, "1/", "10");
    tx.commit();
    EXPECT_GT(keys_of(*store).size(), 1U) << "the control: something is left";
    finish_erasures(*store);
    EXPECT_EQ(keys_of(*store), (std::vector<std::string>{"k/test.a/2/a"})) << writes;
  }
}

TEST(Erasures, AreRefusedWhileTheDiskIsFullAndStayNoted) {
  const auto store = filled();
  FullStore full(*store);
  full.writes_left = 1;
  Tx tx(full);
  Keyspace(full, "test.a").erase_range(tx, "1/", "10");
  tx.commit();
  EXPECT_THROW(finish_erasures(full), StoreFull);
  full.writes_left = 2;
  finish_erasures(full);
  EXPECT_EQ(keys_of(*store).size(), 1U);
}

}  // namespace
}  // namespace brume

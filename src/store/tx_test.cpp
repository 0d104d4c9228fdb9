#include "store/tx.h"

#include <gtest/gtest.h>

#include <vector>

#include "store/table.h"

namespace brume {
namespace {

struct Pet {
  std::string name;
  int legs = 4;
  bool operator==(const Pet&) const = default;
};
BOOST_DESCRIBE_STRUCT(Pet, (), (name, legs))

constexpr TableType kPets{"test.pet", 2};
const Scope kScope{"000000000000", "eu-west-1"};
const Scope kOther{"000000000000", "eu-west-2"};

// Refuses writes while `broken`.
class BrittleStore final : public Store {
 public:
  void write(const Batch& batch) override {
    if (broken) throw StoreFull("no space");
    ++writes;
    inner->write(batch);
  }
  std::shared_ptr<Snapshot> snapshot() const override { return inner->snapshot(); }
  std::optional<std::string> get(std::string_view key) const override { return inner->get(key); }
  void scan(std::string_view from, std::string_view until, const Snapshot::Visit& visit, bool reverse) const override {
    inner->scan(from, until, visit, reverse);
  }
  void erase_range(std::string_view from, std::string_view until) override { inner->erase_range(from, until); }
  void sync() override {}
  void when_durable(Function then) override { then(); }
  Durability durability() const override { return Durability::process_death; }
  std::unique_ptr<Store> inner = memory_store();
  bool broken = false;
  int writes = 0;
};

TEST(Tx, CommitsAsOneBatchAndRunsItsFunctionsAfter) {
  BrittleStore store;
  std::vector<std::string> ran;
  Tx tx(store);
  tx.on_commit([&] { ran.push_back(*store.get("a")); });
  tx.on_rollback([&] { ran.push_back("rolled back"); });
  tx.put("a", "0");
  tx.put("a", "1");
  tx.put("b", "2");
  tx.erase("b");
  EXPECT_EQ(tx.get("a"), "1");
  EXPECT_EQ(tx.get("b"), std::nullopt);
  EXPECT_EQ(store.get("a"), std::nullopt);
  tx.commit();
  EXPECT_EQ(store.writes, 1);
  EXPECT_EQ(ran, (std::vector<std::string>{"1"}));
}

TEST(Tx, RollsBackInReverseOrderWhenDroppedOrRefused) {
  BrittleStore store;
  std::vector<int> ran;
  {
    Tx tx(store);
    tx.put("a", "1");
    tx.on_rollback([&] { ran.push_back(1); });
    tx.on_rollback([&] { ran.push_back(2); });
  }
  EXPECT_EQ(ran, (std::vector{2, 1}));
  Tx tx(store);
  tx.put("a", "1");
  tx.on_rollback([&] { ran.push_back(3); });
  store.broken = true;
  EXPECT_THROW(tx.commit(), StoreFull);
  EXPECT_EQ(ran, (std::vector{2, 1, 3}));
  EXPECT_EQ(store.get("a"), std::nullopt);
}

TEST(Table, KeepsItsRecordsOverAReopen) {
  const auto store = memory_store();
  {
    Table<Pet> pets(*store, kPets);
    Tx tx(*store);
    pets.insert(tx, kScope, "b/with/slashes", {"Bello", 4});
    pets.insert(tx, kScope, "a", {"Ara", 2});
    pets.insert(tx, kOther, "c", {"Cat", 4});
    pets.modify(tx, kScope, "a", [](Pet& pet) { pet.name = "Arara"; });
    tx.commit();
  }
  Table<Pet> pets(*store, kPets);
  EXPECT_EQ(pets.size(), 3U);
  ASSERT_NE(pets.find(kScope, "b/with/slashes"), nullptr);
  EXPECT_EQ(*pets.find(kScope, "a"), (Pet{"Arara", 2}));
  EXPECT_EQ(pets.find(kOther, "a"), nullptr);
  std::vector<std::string> names;
  pets.for_each(kScope, [&](const Pet& pet) { names.push_back(pet.name); });
  EXPECT_EQ(names, (std::vector<std::string>{"Arara", "Bello"}));
  EXPECT_EQ(pets.select(kScope, [](const Pet& pet) { return pet.legs == 2; }).size(), 1U);
  int all = 0;
  pets.for_all([&](const Scope&, std::string_view, const Pet&) { ++all; });
  EXPECT_EQ(all, 3);
}

TEST(Table, UndoesEveryKindOfChange) {
  const auto store = memory_store();
  Table<Pet> pets(*store, kPets);
  {
    Tx tx(*store);
    pets.insert(tx, kScope, "a", {"Ara", 2});
    pets.insert(tx, kScope, "b", {"Bello", 4});
    tx.commit();
  }
  {
    Tx tx(*store);
    pets.modify(tx, kScope, "a", [](Pet& pet) { pet.legs = 0; });
    pets.erase(tx, kScope, "a");
    pets.insert(tx, kScope, "a", {"New", 8});
    EXPECT_TRUE(pets.erase(tx, kScope, "b"));
    EXPECT_FALSE(pets.erase(tx, kScope, "none"));
    pets.put(tx, kScope, "c", {"Cat", 4});
  }
  EXPECT_EQ(pets.size(), 2U);
  EXPECT_EQ(*pets.find(kScope, "a"), (Pet{"Ara", 2}));
  EXPECT_EQ(*pets.find(kScope, "b"), (Pet{"Bello", 4}));
}

TEST(Table, RefusesNewerAndDamagedRecords) {
  const auto store = memory_store();
  {
    Table<Pet> pets(*store, {"test.pet", 3});
    Tx tx(*store);
    pets.insert(tx, kScope, "a", {"Ara", 2});
    tx.commit();
  }
  EXPECT_THROW(Table<Pet>(*store, kPets), StoreError);
  store->write({{{"t/test.other/1/2/3", "\x01garbage"}}});
  EXPECT_THROW(Table<Pet>(*store, {"test.other", 1}), StoreError);
}

struct Robot {
  std::string name;
  int wheels = 0;
};
BOOST_DESCRIBE_STRUCT(Robot, (), (name, wheels))
// Version 1 of this type had no wheels: all robots rolled on three.
void migrate(Robot& robot, int from_version) {
  if (from_version < 2) robot.wheels = 3;
}

TEST(Table, MigratesOlderRecords) {
  const auto store = memory_store();
  {
    Table<Robot> robots(*store, {"test.robot", 1});
    Tx tx(*store);
    robots.insert(tx, kScope, "a", {"R", 0});
    tx.commit();
  }
  const Table<Robot> robots(*store, {"test.robot", 2});
  EXPECT_EQ(robots.find(kScope, "a")->wheels, 3);
}

}  // namespace
}  // namespace brume

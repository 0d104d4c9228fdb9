// Indexes and counts of tables: equal to what looking at every record says, after any changes, undone ones too.
#include "store/table.h"

#include <gtest/gtest.h>
#include <boost/describe/class.hpp>

#include <algorithm>
#include <random>

namespace brume {
namespace {

struct Ship {
  std::string name;
  std::string port;
  std::vector<std::string> flags;
};
BOOST_DESCRIBE_STRUCT(Ship, (), (name, port, flags))

const Scope kHere{"000000000000", "eu-west-1"};
const Scope kThere{"000000000000", "us-east-1"};

struct Fleet {
  explicit Fleet(Store& store) : ships(store, {"test.ship"}) {}
  Table<Ship> ships;
  TableIndex<Ship> by_port{ships, [](const Ship& ship) { return std::vector{ship.port}; }};
  TableIndex<Ship> by_flag{ships, [](const Ship& ship) { return ship.flags; }};
};

void expect_true_indexes(const Fleet& fleet) {
  for (const Scope& scope : {kHere, kThere}) {
    std::size_t count = 0;
    fleet.ships.for_each(scope, [&](const Ship&) { ++count; });
    EXPECT_EQ(fleet.ships.count(scope), count);
    for (const std::string& text : {"a", "b", "c", ""}) {
      const auto in_port = fleet.ships.select(scope, [&](const Ship& ship) { return ship.port == text; });
      EXPECT_EQ(fleet.by_port.find(scope, text), in_port);
      EXPECT_EQ(fleet.by_port.find_first(scope, text), in_port.empty() ? nullptr : in_port.front());
      EXPECT_EQ(fleet.by_flag.find(scope, text), fleet.ships.select(scope, [&](const Ship& ship) {
        return std::ranges::find(ship.flags, text) != ship.flags.end();
      }));
    }
  }
}

TEST(TableIndex, AgreesWithEveryRecordAfterRandomChanges) {
  const auto store = memory_store();
  Fleet fleet(*store);
  std::mt19937 random(7);
  const auto text = [&] { return std::string(1, static_cast<char>('a' + random() % 3)); };
  for (int round = 0; round < 200; ++round) {
    Tx tx(*store);
    for (int i = 0; i < 6; ++i) {
      const Scope& scope = random() % 2 == 0 ? kHere : kThere;
      const std::string id = std::to_string(random() % 8);
      if (random() % 3 == 0) {
        fleet.ships.erase(tx, scope, id);
      } else {
        // The same flag twice is one entry.
        fleet.ships.put(tx, scope, id, {.name = id, .port = text(), .flags = {text(), text()}});
      }
      if (i == 3) expect_true_indexes(fleet);
    }
    if (random() % 2 == 0) {
      tx.commit();
    } else {
      tx.rollback();
    }
    expect_true_indexes(fleet);
  }
  const Fleet loaded(*store);
  expect_true_indexes(loaded);
  EXPECT_EQ(loaded.ships.size(), fleet.ships.size());
}

// A copy of the names, emptied of whatever an observer hears of: never wrong, whatever changes and is undone.
TEST(Table, TellsItsObserversOfEveryChange) {
  const auto store = memory_store();
  Fleet fleet(*store);
  std::map<std::string, std::string> copy;
  int told = 0;
  fleet.ships.observe([&](const Scope& scope, std::string_view id) {
    EXPECT_EQ(scope, kHere);
    copy.erase(std::string(id));
    ++told;
  });
  const auto name = [&](const std::string& id) {
    const Ship* ship = fleet.ships.find(kHere, id);
    return copy.try_emplace(id, ship == nullptr ? "none" : ship->name).first->second;
  };
  const auto in_tx = [&](bool kept, auto act) {
    Tx tx(*store);
    told = 0;
    act(tx);
    EXPECT_GT(std::exchange(told, 0), 0);
    const std::string inside = name("a");
    kept ? tx.commit() : tx.rollback();
    EXPECT_EQ(told > 0, !kept);
    return inside;
  };
  EXPECT_EQ(name("a"), "none");
  EXPECT_EQ(in_tx(false, [&](Tx& tx) { fleet.ships.insert(tx, kHere, "a", {.name = "one"}); }), "one");
  EXPECT_EQ(name("a"), "none");
  in_tx(true, [&](Tx& tx) { fleet.ships.insert(tx, kHere, "a", {.name = "one"}); });
  EXPECT_EQ(name("a"), "one");
  EXPECT_EQ(in_tx(false, [&](Tx& tx) { fleet.ships.put(tx, kHere, "a", {.name = "two"}); }), "two");
  EXPECT_EQ(name("a"), "one");
  EXPECT_EQ(in_tx(false, [&](Tx& tx) { fleet.ships.erase(tx, kHere, "a"); }), "none");
  EXPECT_EQ(name("a"), "one");
  EXPECT_EQ(in_tx(true, [&](Tx& tx) { fleet.ships.erase(tx, kHere, "a"); }), "none");
  EXPECT_EQ(name("a"), "none");
}

TEST(Table, VisitsFromAnIdUntilToldToStop) {
  const auto store = memory_store();
  Fleet fleet(*store);
  Tx tx(*store);
  for (const char* id : {"a", "b", "ba", "c"}) fleet.ships.put(tx, kHere, id, {.name = id});
  fleet.ships.put(tx, kThere, "d", {.name = "d"});
  tx.commit();
  std::string seen;
  fleet.ships.visit_from(kHere, "b", [&](const Ship& ship) {
    seen += ship.name + " ";
    return true;
  });
  EXPECT_EQ(seen, "b ba c ");
  seen.clear();
  fleet.ships.visit_from(kHere, "aa", [&](const Ship& ship) {
    seen += ship.name + " ";
    return ship.name != "ba";
  });
  EXPECT_EQ(seen, "b ba ");
}

}  // namespace
}  // namespace brume

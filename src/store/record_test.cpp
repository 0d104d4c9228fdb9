#include "store/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace brume {
namespace {

enum class Color { red, green };

struct Inner {
  std::string name;
  std::int64_t weight = 5;
  bool operator==(const Inner&) const = default;
};
BOOST_DESCRIBE_STRUCT(Inner, (), (name, weight))

struct Outer {
  bool flag = true;
  std::int32_t small = 0;
  std::uint64_t big = 0;
  double ratio = 0;
  std::string text = "default";
  Color color = Color::red;
  Time time;
  Duration span;
  Scope scope;
  opt<std::string> maybe;
  std::optional<Inner> inner;
  std::vector<Inner> list;
  std::set<std::string> names;
  std::map<std::string, std::vector<std::int64_t>> map;
  std::pair<std::string, int> pair;
  box<Inner> boxed;
  bool operator==(const Outer&) const = default;
};
BOOST_DESCRIBE_STRUCT(Outer, (),
                      (flag, small, big, ratio, text, color, time, span, scope, maybe, inner, list, names, map, pair,
                       boxed))

Outer full() {
  Outer outer;
  outer.flag = false;
  outer.small = -70000;
  outer.big = 0xffffffffffffffff;
  outer.ratio = -0.125;
  outer.text = std::string("a\0\xff", 3);
  outer.color = Color::green;
  outer.time = {-5};
  outer.span = hours(30);
  outer.scope = {"000000000000", "eu-west-1"};
  outer.maybe = std::string();
  outer.inner = Inner{"inner", 0};
  outer.list = {{"x", 5}, {"", 1}};
  outer.names = {"b", "a"};
  outer.map = {{"k", {1, 24, 256, 65536, -1, 4294967296}}, {"empty", {}}};
  outer.pair = {"p", 9};
  outer.boxed = Inner{"boxed", 3};
  return outer;
}

TEST(Record, RoundTripsEveryKindOfMember) { EXPECT_EQ(decode_record<Outer>(encode_record(full())), full()); }

TEST(Record, LeavesDefaultsOutAndKeepsThemWhenAbsent) {
  EXPECT_EQ(encode_record(Outer()), "\xa0");
  EXPECT_EQ(decode_record<Outer>("\xa0"), Outer());
  // A value that equals zero but not the default must be written.
  Outer zero;
  zero.text.clear();
  zero.inner = Inner{"", 0};
  EXPECT_EQ(decode_record<Outer>(encode_record(zero)), zero);
}

// A map's head is made for all members before it is known how many are written: with more than 23 it takes two bytes.
struct Wide {
  std::int32_t a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0, j = 0, k = 0, l = 0, m = 0, n = 0, o = 0,
               p = 0, q = 0, r = 0, s = 0, t = 0, u = 0, v = 0, w = 0, x = 0;
  bool operator==(const Wide&) const = default;
};
BOOST_DESCRIBE_STRUCT(Wide, (), (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x))

TEST(Record, OfManyMembersRoundTripsHoweverManyAreWritten) {
  Wide wide;
  EXPECT_EQ(encode_record(wide), std::string("\xb8\0", 2));
  EXPECT_EQ(decode_record<Wide>(encode_record(wide)), wide);
  wide.x = 7;
  EXPECT_EQ(encode_record(wide), "\xb8\x01\x61x\x07");
  EXPECT_EQ(decode_record<Wide>(encode_record(wide)), wide);
  wide = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24};
  EXPECT_EQ(decode_record<Wide>(encode_record(wide)), wide);
}

// What records were before: the shortest head.
TEST(Record, ReadsEitherHeadOfAMap) {
  Wide seven;
  seven.x = 7;
  EXPECT_EQ(decode_record<Wide>("\xa1\x61x\x07"), seven);
}

struct Tree {
  std::vector<Tree> branches;
};
BOOST_DESCRIBE_STRUCT(Tree, (), (branches))

TEST(Record, IsReadSixtyFourStructsDeepAndNoDeeper) {
  Tree tree;
  for (int level = 2; level <= 64; ++level) {
    Tree outer;
    outer.branches.push_back(std::move(tree));
    tree = std::move(outer);
  }
  EXPECT_NO_THROW(decode_record<Tree>(encode_record(tree)));
  Tree outer;
  outer.branches.push_back(std::move(tree));
  EXPECT_THROW(decode_record<Tree>(encode_record(outer)), StoreError);
}

struct Older {
  std::string text;
};
BOOST_DESCRIBE_STRUCT(Older, (), (text))

TEST(Record, SkipsUnknownMembers) { EXPECT_EQ(decode_record<Older>(encode_record(full())).text, full().text); }

TEST(Record, RefusesEveryTruncation) {
  const std::string bytes = encode_record(full());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THROW(decode_record<Outer>(bytes.substr(0, size)), StoreError) << size;
    EXPECT_THROW(decode_record<Older>(bytes.substr(0, size)), StoreError) << size;
  }
  EXPECT_THROW(decode_record<Outer>(bytes + "x"), StoreError);
}

TEST(Record, RefusesOutOfRangeDeepAndHugeValues) {
  CborWriter number;
  number.map(1);
  number.text("small");
  number.integer(1LL << 40);
  EXPECT_THROW(decode_record<Outer>(number.take()), StoreError);
  std::string deep = "\xa1\x61z";
  deep.append(100'000, '\x81');
  EXPECT_THROW(decode_record<Outer>(deep), StoreError);
  EXPECT_THROW(decode_record<Outer>("\xa1\x64list\x9b\x7f\xff\xff\xff\xff\xff\xff\xff"), StoreError);
  EXPECT_THROW(decode_record<Outer>(std::string("\xa1\x64text\x20", 7)), StoreError);
}

}  // namespace
}  // namespace brume

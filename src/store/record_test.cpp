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

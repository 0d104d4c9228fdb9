#include "aws/policy/conditions.h"

#include <gtest/gtest.h>

namespace brume::policy {
namespace {

using Values = std::vector<std::string>;

// Whether `op: {key: wanted}` holds when the request's key has the values `given` (none: the key is absent).
bool holds(const char* op_name, const Values& wanted, const Values& given, const Keys& others = {}) {
  const std::optional<Operator> op = parse_operator(op_name);
  EXPECT_TRUE(op) << op_name;
  auto condition = Condition::compile(*op, "Test:Key", wanted, true);
  EXPECT_TRUE(condition) << op_name << ": " << condition.error();
  Keys keys = others;
  for (const std::string& value : given) keys.add("test:KEY", value);
  return condition->holds(keys);
}

TEST(Operator, KnowsAwsNamesAndNoOthers) {
  for (const char* name : {"StringEquals", "ForAllValues:StringLike", "ForAnyValue:ArnLikeIfExists", "BoolIfExists",
                           "Null", "NotIpAddress", "BinaryEquals", "dateGreaterThan"})
    EXPECT_TRUE(parse_operator(name)) << name;
  for (const char* name : {"", "StringEqual", "NullIfExists", "ForSomeValues:StringEquals", "StringLessThan",
                           "IfExists", "StringEqualsIfExistsIfExists", "BoolNotEquals"})
    EXPECT_FALSE(parse_operator(name)) << name;
}

TEST(Condition, ComparesStrings) {
  EXPECT_TRUE(holds("StringEquals", {"a", "b"}, {"b"}));
  EXPECT_FALSE(holds("StringEquals", {"a", "b"}, {"B"}));
  EXPECT_FALSE(holds("StringEquals", {"a*"}, {"ab"}));
  EXPECT_TRUE(holds("StringEqualsIgnoreCase", {"Ab"}, {"aB"}));
  EXPECT_TRUE(holds("StringLike", {"home/*"}, {"home/x:y"}));
  EXPECT_TRUE(holds("StringNotEquals", {"a", "b"}, {"c"}));
  EXPECT_FALSE(holds("StringNotEquals", {"a", "b"}, {"b"}));
  EXPECT_FALSE(holds("StringNotLike", {"a*"}, {"abc"}));
  EXPECT_FALSE(holds("StringEquals", {}, {"a"}));
}

TEST(Condition, TreatsAbsentKeysAsAwsDoes) {
  EXPECT_FALSE(holds("StringEquals", {"a"}, {}));
  EXPECT_TRUE(holds("StringNotEquals", {"a"}, {}));
  EXPECT_TRUE(holds("StringEqualsIfExists", {"a"}, {}));
  EXPECT_FALSE(holds("StringEqualsIfExists", {"a"}, {"b"}));
  EXPECT_TRUE(holds("ArnNotLike", {"arn:aws:iam::1:role/x"}, {}));
  EXPECT_FALSE(holds("Bool", {"false"}, {}));
  EXPECT_TRUE(holds("BoolIfExists", {"false"}, {}));
  EXPECT_FALSE(holds("NumericLessThan", {"1"}, {}));
  EXPECT_TRUE(holds("NotIpAddress", {"10.0.0.0/8"}, {}));
  EXPECT_TRUE(holds("Null", {"true"}, {}));
  EXPECT_FALSE(holds("Null", {"false"}, {}));
  EXPECT_TRUE(holds("Null", {"false"}, {"x"}));
}

TEST(Condition, QuantifiesOverSets) {
  EXPECT_TRUE(holds("ForAllValues:StringEquals", {"a", "b"}, {"a", "b"}));
  EXPECT_FALSE(holds("ForAllValues:StringEquals", {"a", "b"}, {"a", "c"}));
  EXPECT_TRUE(holds("ForAllValues:StringEquals", {"a"}, {}));
  EXPECT_TRUE(holds("ForAllValues:StringEquals", {"a"}, {""}));
  EXPECT_TRUE(holds("ForAnyValue:StringEquals", {"a"}, {"c", "a"}));
  EXPECT_FALSE(holds("ForAnyValue:StringEquals", {"a"}, {"c"}));
  EXPECT_FALSE(holds("ForAnyValue:StringEquals", {"a"}, {}));
  EXPECT_FALSE(holds("ForAnyValue:StringNotEquals", {"a"}, {}));
  EXPECT_TRUE(holds("ForAnyValue:StringNotEquals", {"a"}, {"a", "b"}));
  EXPECT_FALSE(holds("ForAllValues:StringNotEquals", {"a"}, {"a", "b"}));
  EXPECT_TRUE(holds("ForAnyValue:StringEqualsIfExists", {"a"}, {}));
}

TEST(Condition, ComparesNumbers) {
  EXPECT_TRUE(holds("NumericEquals", {"10"}, {"10.0"}));
  EXPECT_TRUE(holds("NumericLessThanEquals", {"10"}, {"10"}));
  EXPECT_FALSE(holds("NumericLessThan", {"10"}, {"10"}));
  EXPECT_TRUE(holds("NumericGreaterThan", {"-5"}, {"0"}));
  EXPECT_TRUE(holds("NumericGreaterThanEquals", {"1.5"}, {"1.5"}));
  EXPECT_TRUE(holds("NumericNotEquals", {"1"}, {"2"}));
  EXPECT_FALSE(holds("NumericLessThan", {"10"}, {"many"}));
}

TEST(Condition, ComparesDates) {
  EXPECT_TRUE(holds("DateGreaterThan", {"2020-01-01T00:00:01Z"}, {"2020-01-01T00:00:02Z"}));
  EXPECT_FALSE(holds("DateGreaterThan", {"2020-01-01T00:00:01Z"}, {"2020-01-01T00:00:01Z"}));
  EXPECT_TRUE(holds("DateLessThan", {"2026"}, {"2025-12-31T23:59:59Z"}));
  EXPECT_TRUE(holds("DateEquals", {"2026-03"}, {"2026-03-01T01:00:00+01:00"}));
  EXPECT_TRUE(holds("DateLessThanEquals", {"2026-03-01"}, {"2026-03-01T00:00Z"}));
  EXPECT_TRUE(holds("DateEquals", {"1767225600"}, {"2026-01-01T00:00:00Z"}));
  EXPECT_TRUE(holds("DateNotEquals", {"2026-01-01"}, {"2026-01-02"}));
}

TEST(Condition, ComparesAddresses) {
  EXPECT_TRUE(holds("IpAddress", {"203.0.113.0/24"}, {"203.0.113.77"}));
  EXPECT_FALSE(holds("IpAddress", {"203.0.113.0/24"}, {"203.0.114.1"}));
  EXPECT_TRUE(holds("IpAddress", {"10.0.0.1"}, {"10.0.0.1"}));
  EXPECT_FALSE(holds("IpAddress", {"10.0.0.1"}, {"10.0.0.2"}));
  EXPECT_TRUE(holds("IpAddress", {"0.0.0.0/0"}, {"8.8.8.8"}));
  EXPECT_FALSE(holds("IpAddress", {"0.0.0.0/0"}, {"2001:db8::1"}));
  EXPECT_TRUE(holds("IpAddress", {"2001:DB8:1234:5678::/64"}, {"2001:db8:1234:5678::9"}));
  EXPECT_TRUE(holds("IpAddress", {"10.0.0.0/9"}, {"10.127.255.255"}));
  EXPECT_FALSE(holds("IpAddress", {"10.0.0.0/9"}, {"10.128.0.0"}));
  EXPECT_TRUE(holds("NotIpAddress", {"10.0.0.0/8", "192.168.0.0/16"}, {"8.8.8.8"}));
  EXPECT_FALSE(holds("NotIpAddress", {"10.0.0.0/8", "192.168.0.0/16"}, {"192.168.1.1"}));
}

TEST(Condition, ComparesBooleansAndBytes) {
  EXPECT_TRUE(holds("Bool", {"true"}, {"True"}));
  EXPECT_FALSE(holds("Bool", {"true"}, {"false"}));
  EXPECT_FALSE(holds("Bool", {"false"}, {"no"}));
  EXPECT_TRUE(holds("BinaryEquals", {"QmluYXJ5VmFsdWVJbkJhc2U2NA=="}, {"QmluYXJ5VmFsdWVJbkJhc2U2NA=="}));
  EXPECT_FALSE(holds("BinaryEquals", {"QmluYXJ5VmFsdWVJbkJhc2U2NA=="}, {"AAAA"}));
}

TEST(Condition, NeverEqualsAVariableWithoutValue) {
  EXPECT_FALSE(holds("StringEquals", {"${aws:PrincipalTag/team}"}, {"x"}));
  EXPECT_TRUE(holds("StringNotEquals", {"${aws:PrincipalTag/team}"}, {"x"}));
  Keys keys;
  keys.add("aws:PrincipalTag/team", "x");
  EXPECT_TRUE(holds("StringEquals", {"${aws:PrincipalTag/team}"}, {"x"}, keys));
  EXPECT_TRUE(holds("StringLike", {"${aws:PrincipalTag/team}*"}, {"xyz"}, keys));
}

TEST(Condition, RefusesValuesThatCannotMatch) {
  const std::pair<const char*, const char*> cases[] = {
      {"NumericEquals", "ten"},
      {"NumericEquals", "inf"},
      {"DateEquals", "01T"},
      {"DateEquals", "yesterday"},
      {"Bool", "yes"},
      {"IpAddress", "10.0.0/8"},
      {"IpAddress", "1.2.3.4/33"},
      {"IpAddress", "1.2.3.4/-1"},
      {"Null", "maybe"},
      {"BinaryEquals", "not base64!"},
  };
  for (const auto& [name, value] : cases)
    EXPECT_FALSE(Condition::compile(*parse_operator(name), "k", {value}, true)) << name << " " << value;
}

}  // namespace
}  // namespace brume::policy

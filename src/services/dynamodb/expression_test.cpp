// Expressions and values, as the examples of the DynamoDB developer guide go.
#include "services/dynamodb/expression.h"

#include <gtest/gtest.h>

#include "store/record.h"

namespace brume::dynamodb {
namespace {

Item book() {
  Item item;
  item["Id"] = number_value("123");
  item["Title"] = string_value("Bicycle");
  item["Price"] = number_value("500");
  item["Tags"].ss = std::vector<std::string>{"a", "b"};
  AttributeValue view;
  view.m.ensure()["front"] = string_value("url");
  AttributeValue list;
  list.l.ensure() = {view, number_value("7")};
  item["Pictures"] = list;
  return item;
}

bool check(const std::string& text, const Item& values = {}, const std::map<std::string, std::string>& names = {}) {
  Placeholders placeholders(names, values);
  const ConditionTree condition = parse_condition(text, placeholders, "ConditionExpression");
  placeholders.check_all_used();
  return holds(condition, book());
}

Item change(const std::string& text, const Item& values = {}) {
  Placeholders placeholders({}, values);
  Item item = book();
  dynamodb::apply(parse_update(text, placeholders), item);
  return item;
}

TEST(Conditions, CompareAndCombine) {
  EXPECT_TRUE(check("Price = :p", {{":p", number_value("500.0")}}));
  EXPECT_TRUE(check("Price BETWEEN :a AND :b", {{":a", number_value("1")}, {":b", number_value("500")}}));
  EXPECT_TRUE(
      check("#t IN (:x, :y)", {{":x", string_value("no")}, {":y", string_value("Bicycle")}}, {{"#t", "Title"}}));
  EXPECT_FALSE(check("Price > :s", {{":s", string_value("1")}})) << "a number and a string have no order";
  EXPECT_TRUE(check("attribute_exists(Pictures[0].front) AND attribute_not_exists(Pictures[5])"));
  EXPECT_TRUE(check("begins_with(Title, :b) AND contains(Tags, :a) AND size(Title) = :n",
                    {{":b", string_value("Bi")}, {":a", string_value("a")}, {":n", number_value("7")}}));
  EXPECT_TRUE(check("NOT (Price < :p) OR Title = :p", {{":p", number_value("5")}}));
  EXPECT_TRUE(check("Absent <> :p", {{":p", number_value("5")}}));
  EXPECT_TRUE(check("attribute_type(Tags, :t)", {{":t", string_value("SS")}}));
}

TEST(Conditions, RefuseWhatIsWrong) {
  EXPECT_THROW(check("Price = :missing"), AwsError);
  EXPECT_THROW(check("Price = :p AND", {{":p", number_value("1")}}), AwsError);
  EXPECT_THROW(check("attribute_exists(Price)", {{":unused", number_value("1")}}), AwsError);
  EXPECT_THROW(check(""), AwsError);
  EXPECT_THROW(check("unknown(Price)"), AwsError);
  EXPECT_THROW(check("attribute_exists(:p)", {{":p", number_value("1")}}), AwsError);
  EXPECT_THROW(check(std::string(200, '(') + "Price"), AwsError);
}

TEST(Updates, SetRemoveAddDelete) {
  Item values{{":one", number_value("1")}, {":u", string_value("x")}};
  Item item = change("SET Price = Price - :one, Title = if_not_exists(Other, :u) REMOVE Id", values);
  EXPECT_EQ(item["Price"].n, opt<std::string>("499"));
  EXPECT_EQ(item["Title"].s, opt<std::string>("x"));
  EXPECT_FALSE(item.contains("Id"));
  AttributeValue set;
  set.ss = std::vector<std::string>{"b", "c"};
  EXPECT_EQ(change("ADD Tags :s", {{":s", set}})["Tags"].ss->size(), 3U);
  EXPECT_EQ(change("DELETE Tags :s", {{":s", set}})["Tags"].ss.get(), std::vector<std::string>{"a"});
  EXPECT_EQ(change("ADD Stock :n", {{":n", number_value("4")}})["Stock"].n, opt<std::string>("4"));
  AttributeValue more;
  more.l.ensure().push_back(number_value("8"));
  EXPECT_EQ(change("SET Pictures = list_append(Pictures, :l)", {{":l", more}})["Pictures"].l->size(), 3U);
  EXPECT_EQ(change("REMOVE Pictures[0], Pictures[1]")["Pictures"].l->size(), 0U);
  EXPECT_THROW(change("SET a.b = :x", {{":x", number_value("1")}}), AwsError);
  EXPECT_THROW(change("SET Price = :x, Price = :x", {{":x", number_value("1")}}), AwsError);
  try {
    change("SET Price = if_not_exists(:x, :x)", {{":x", number_value("1")}});
    ADD_FAILURE() << "a value is no path";
  } catch (const AwsError& error) {
    EXPECT_EQ(error.message,
              "Invalid UpdateExpression: Operator or function requires a document path; operator or function: "
              "if_not_exists");
  }
}

TEST(Numbers, KeepThirtyEightDigitsAndCompareByValue) {
  EXPECT_EQ(normalize_number("1.0"), "1");
  EXPECT_EQ(normalize_number("-0"), "0");
  EXPECT_EQ(normalize_number("001.50e2"), "150");
  EXPECT_EQ(normalize_number("abc"), std::nullopt);
  EXPECT_EQ(normalize_number(std::string(39, '1')), std::nullopt);
  EXPECT_EQ(add_numbers("0.1", "0.2"), "0.3");
  EXPECT_EQ(add_numbers("99", "1"), "100");
  EXPECT_EQ(add_numbers("5", "-7"), "-2");
  EXPECT_EQ(add_numbers("-5", "5"), "0");
  EXPECT_EQ(add_numbers("1E-130", "1E-130"), "2E-130");
  EXPECT_THROW(add_numbers("1.1E-130", "-1E-130"), AwsError) << "smaller than any number that can be stored";
  EXPECT_LT(compare_numbers("-10", "-9"), 0);
}

TEST(Numbers, KeysOrderByValue) {
  const std::vector<std::string> ascending = {"-9.9E+125", "-1E+125", "-9.99E+124", "-1E+100", "-100",    "-12",
                                              "-11.5",     "-1",      "-0.001",     "-1E-130", "0",       "1E-130",
                                              "1E-100",    "0.5",     "1",          "1.01",    "2",       "10",
                                              "100",       "1E+100",  "9.99E+124",  "1E+125",  "9.9E+125"};
  std::string before;
  for (const std::string& text : ascending) {
    std::string key;
    append_key_value(key, number_value(normalize_number(text).value()));
    EXPECT_LT(before, key) << text;
    before = key;
  }
}

TEST(Records, KeepEveryTypeThroughTheStore) {
  Item item = book();
  item["No"].bool_ = false;
  item["Nothing"].null = true;
  item["Empty"] = string_value("");
  EXPECT_EQ(decode_record<ItemRecord>(encode_record(ItemRecord{item})).attributes, item);
  EXPECT_EQ(encode_item(item), encode_record(ItemRecord{item}));
  EXPECT_EQ(decode_item(encode_item(item)), item);
  EXPECT_EQ(encode_item({}), encode_record(ItemRecord{}));
  EXPECT_THROW(decode_item(encode_item(item) + "x"), StoreError);
  EXPECT_THROW(decode_item(encode_item(item).substr(0, 40)), StoreError);
}

// "DynamoDB supports nested attributes up to 32 levels deep."
TEST(Records, AreReadAsDeepAsTheyMayBeWritten) {
  AttributeValue value = string_value("deep");
  for (int level = 0; level < 32; ++level) {
    AttributeValue outer;
    if (level % 2 == 0)
      outer.l.ensure() = {value};
    else
      outer.m.ensure()["in"] = value;
    value = outer;
  }
  Item item = {{"Nested", value}};
  EXPECT_NO_THROW(normalize(item));
  EXPECT_EQ(decode_item(encode_item(item)), item);
}

}  // namespace
}  // namespace brume::dynamodb

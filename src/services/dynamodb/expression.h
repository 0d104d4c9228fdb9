// DynamoDB's expressions: condition, filter, key condition, update and projection. Parsed once per request, then
// applied to items. Follows "Using expressions in DynamoDB". Values; used on any thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "services/dynamodb/value.h"

namespace brume::dynamodb {

// #names and :values of a request, with what was used of them: unused ones are an error.
class Placeholders {
 public:
  Placeholders(const std::map<std::string, std::string>& names, const Item& values);
  const std::string& name(const std::string& placeholder, std::string_view kind);
  const AttributeValue& value(const std::string& placeholder, std::string_view kind);
  // Throws when a placeholder was given and used by no expression.
  void check_all_used() const;

 private:
  std::map<std::string, std::string> names_;
  Item values_;
  std::set<std::string> used_;
};

// A document path: names and list indexes.
struct PathStep {
  std::string name;  // empty: an index
  std::size_t index = 0;
  bool operator==(const PathStep&) const = default;
};
using Path = std::vector<PathStep>;

const AttributeValue* find(const Item& item, const Path& path);

struct Operand {
  enum class Kind { path, value, size, if_not_exists, list_append, plus, minus } kind = Kind::path;
  Path path;
  AttributeValue value;
  std::vector<Operand> parts;
};

struct ConditionTree {
  enum class Kind {
    all,
    any,
    negation,
    equal,
    not_equal,
    less,
    less_equal,
    greater,
    greater_equal,
    between,
    in,
    attribute_exists,
    attribute_not_exists,
    attribute_type,
    begins_with,
    contains
  } kind = Kind::all;
  std::vector<ConditionTree> parts;
  std::vector<Operand> operands;
};

// `kind` is what messages call it: "ConditionExpression". Throws ValidationException.
ConditionTree parse_condition(std::string_view text, Placeholders& placeholders, std::string_view kind);
bool holds(const ConditionTree& condition, const Item& item);

struct UpdateTree {
  struct Clause {
    enum class Kind { set, remove, add, erase } kind = Kind::set;
    Path path;
    Operand operand;
  };
  std::vector<Clause> clauses;
};
UpdateTree parse_update(std::string_view text, Placeholders& placeholders);
// All operands are read from the item as it was. Throws ValidationException for what cannot be applied.
void apply(const UpdateTree& update, Item& item);

using Paths = std::vector<Path>;
Paths parse_projection(std::string_view text, Placeholders& placeholders);
Item project(const Paths& projection, const Item& item);

}  // namespace brume::dynamodb

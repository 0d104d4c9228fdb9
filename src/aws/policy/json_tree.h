// JSON read strictly into a tree that keeps what policy grammars ask about: duplicate keys are refused, numbers keep
// their spelling, depth is bounded. Values, any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace brume::policy {

struct Member;

struct Node {
  enum class Kind { null, boolean, number, string, array, object };
  Kind kind = Kind::null;
  std::string text;             // of a string its value, of a number its spelling, of a boolean "true" or "false"
  std::vector<Node> items;      // of an array
  std::vector<Member> members;  // of an object, in order

  bool is_string() const { return kind == Kind::string; }
  bool is_object() const { return kind == Kind::object; }
  bool is_array() const { return kind == Kind::array; }
  const Node* find(std::string_view name) const;
};
struct Member {
  std::string name;
  Node value;
};

// Nullopt with `problem` told for text that is no JSON, nests deeper than `max_depth` or repeats a key in an object.
std::optional<Node> read_json(std::string_view text, std::size_t max_depth, std::string& problem);

}  // namespace brume::policy

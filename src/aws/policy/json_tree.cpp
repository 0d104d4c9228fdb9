#include "aws/policy/json_tree.h"

#include <boost/json/basic_parser_impl.hpp>
#include <string>
#include <utility>

namespace brume::policy {
namespace {

namespace json = boost::json;

// Receives the parser's events and hangs them into the tree.
class TreeBuilder {
 public:
  static constexpr std::size_t max_object_size = 1000;
  static constexpr std::size_t max_array_size = 100'000;
  static constexpr std::size_t max_key_size = 200'000;
  static constexpr std::size_t max_string_size = 200'000;

  Node root;
  bool duplicate = false;

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) { return open(Node::Kind::object); }
  bool on_object_end(std::size_t, json::error_code&) { return close(); }
  bool on_array_begin(json::error_code&) { return open(Node::Kind::array); }
  bool on_array_end(std::size_t, json::error_code&) { return close(); }
  bool on_key_part(json::string_view text, std::size_t, json::error_code&) { return append(key_, text); }
  bool on_key(json::string_view text, std::size_t, json::error_code& error) {
    append(key_, text);
    if (path_.back()->find(key_) != nullptr) {
      duplicate = true;
      error = json::make_error_code(json::error::syntax);
      return false;
    }
    return true;
  }
  bool on_string_part(json::string_view text, std::size_t, json::error_code&) { return append(text_, text); }
  bool on_string(json::string_view text, std::size_t, json::error_code&) {
    append(text_, text);
    return leaf(Node::Kind::string);
  }
  bool on_number_part(json::string_view text, json::error_code&) { return append(text_, text); }
  bool on_int64(std::int64_t, json::string_view text, json::error_code&) { return number(text); }
  bool on_uint64(std::uint64_t, json::string_view text, json::error_code&) { return number(text); }
  bool on_double(double, json::string_view text, json::error_code&) { return number(text); }
  bool on_bool(bool value, json::error_code&) {
    text_ = value ? "true" : "false";
    return leaf(Node::Kind::boolean);
  }
  bool on_null(json::error_code&) { return leaf(Node::Kind::null); }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  static bool append(std::string& to, json::string_view text) {
    to.append(text.data(), text.size());
    return true;
  }
  bool number(json::string_view text) {
    append(text_, text);
    return leaf(Node::Kind::number);
  }
  Node& place() {
    if (path_.empty()) return root;
    Node& parent = *path_.back();
    if (parent.is_array()) return parent.items.emplace_back();
    parent.members.push_back({std::exchange(key_, {}), {}});
    return parent.members.back().value;
  }
  bool leaf(Node::Kind kind) {
    Node& node = place();
    node.kind = kind;
    node.text = std::exchange(text_, {});
    return true;
  }
  // A parent grows only after its child has been closed, so the pointers stay valid.
  bool open(Node::Kind kind) {
    Node& node = place();
    node.kind = kind;
    path_.push_back(&node);
    return true;
  }
  bool close() {
    path_.pop_back();
    return true;
  }

  std::vector<Node*> path_;
  std::string key_, text_;
};

}  // namespace

const Node* Node::find(std::string_view name) const {
  for (const Member& member : members)
    if (member.name == name) return &member.value;
  return nullptr;
}

std::optional<Node> read_json(std::string_view text, std::size_t max_depth, std::string& problem) {
  json::parse_options options;
  options.max_depth = max_depth;
  json::basic_parser<TreeBuilder> parser(options);
  json::error_code error;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (parser.handler().duplicate) {
    problem = "a key is given twice in one object";
    return std::nullopt;
  }
  if (!error && text.find_first_not_of(" \t\r\n", used) != std::string_view::npos) error = json::error::extra_data;
  if (error) {
    problem = error.message();
    return std::nullopt;
  }
  return std::move(parser.handler().root);
}

}  // namespace brume::policy

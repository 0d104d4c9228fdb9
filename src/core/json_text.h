// JSON written straight into text, where its members are known: no tree, no memory but the text's own. Strings are
// escaped as Boost.JSON does it, so that what either writes reads the same. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

namespace brume {

// With its quotes.
void append_json_string(std::string_view text, std::string& out);

// Members in the order in which they come; names need no escapes. One object after the other: an inner one ends before
// the outer one goes on.
class JsonObject {
 public:
  explicit JsonObject(std::string& out) : out_(out) { out_ += '{'; }

  void text(std::string_view name, std::string_view value) {
    key(name);
    append_json_string(value, out_);
  }
  void boolean(std::string_view name, bool value) { raw(name, value ? "true" : "false"); }
  // What is JSON already.
  void raw(std::string_view name, std::string_view json) {
    key(name);
    out_ += json;
  }
  // Its object follows.
  JsonObject object(std::string_view name) {
    key(name);
    return JsonObject(out_);
  }
  void end() { out_ += '}'; }

 private:
  void key(std::string_view name) {
    if (!first_) out_ += ',';
    first_ = false;
    out_ += '"';
    out_ += name;
    out_ += "\":";
  }

  std::string& out_;
  bool first_ = true;
};

}  // namespace brume

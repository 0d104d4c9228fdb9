// A decoded form: the parameters of a query string and of a form body, found by name or by prefix. One request's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brume::protocols {

// Splits "a=1&b" into decoded pairs in order; nullopt when there are too many or an escape is broken.
std::optional<std::vector<std::pair<std::string, std::string>>> parse_form(std::string_view text);

class Form {
 public:
  explicit Form(std::vector<std::pair<std::string, std::string>> parameters);
  // The value of the first parameter of that name, which then counts as used; null: absent.
  const std::string* find(std::string_view name);
  // Whether a parameter's name is `prefix` or begins with it and a dot.
  bool has(std::string_view prefix) const;
  // The numbers N of parameters "prefix.N" and "prefix.N.…", ascending, each once.
  std::vector<std::int64_t> indices(std::string_view prefix) const;
  std::vector<std::string_view> unused() const;

 private:
  struct Parameter {
    std::string name, value;
    std::size_t position = 0;  // in the order of arrival
    bool used = false;
  };
  std::vector<Parameter>::const_iterator first_from(std::string_view name) const;
  std::vector<Parameter> parameters_;  // in the order of names
};

}  // namespace brume::protocols

#include "front/protocols/form.h"

#include <algorithm>
#include <tuple>

#include "core/text.h"
#include "front/protocols/protocol.h"
#include "front/protocols/utf8.h"

namespace brume::protocols {

namespace {
constexpr std::size_t kLongestName = 1024;
}

std::optional<std::vector<std::pair<std::string, std::string>>> parse_form(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> parameters;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    if (part.empty()) continue;
    if (parameters.size() == kMostParameters) return std::nullopt;
    const std::size_t equals = part.find('=');
    auto name = percent_decode(part.substr(0, equals), true);
    auto value = equals == std::string_view::npos ? std::string() : percent_decode(part.substr(equals + 1), true);
    // A name's dots are levels of nesting: its length bounds the depth of what is decoded from it.
    if (!name || !value || name->size() > kLongestName || !is_utf8(*name) || !is_utf8(*value)) return std::nullopt;
    parameters.emplace_back(std::move(*name), std::move(*value));
  }
  return parameters;
}

Form::Form(std::vector<std::pair<std::string, std::string>> parameters) {
  parameters_.reserve(parameters.size());
  for (auto& [name, value] : parameters) parameters_.push_back({std::move(name), std::move(value), parameters_.size()});
  std::ranges::sort(parameters_, [](const Parameter& a, const Parameter& b) {
    return std::tie(a.name, a.position) < std::tie(b.name, b.position);
  });
}

std::vector<Form::Parameter>::const_iterator Form::first_from(std::string_view name) const {
  return std::ranges::lower_bound(parameters_, name, {}, [](const Parameter& p) { return std::string_view(p.name); });
}

const std::string* Form::find(std::string_view name) {
  auto found = parameters_.begin() + (first_from(name) - parameters_.cbegin());
  const std::string* value = nullptr;
  for (; found != parameters_.end() && found->name == name; ++found) {
    found->used = true;
    if (value == nullptr) value = &found->value;
  }
  return value;
}

bool Form::has(std::string_view prefix) const {
  // "a-b" sorts between "a" and "a.b": look for the name itself and for the dotted ones.
  const auto exact = first_from(prefix);
  if (exact != parameters_.end() && exact->name == prefix) return true;
  const std::string dotted = std::string(prefix) + ".";
  const auto below = first_from(dotted);
  return below != parameters_.end() && below->name.starts_with(dotted);
}

std::vector<std::int64_t> Form::indices(std::string_view prefix) const {
  std::vector<std::int64_t> numbers;
  const std::string dotted = std::string(prefix) + ".";
  for (auto each = first_from(dotted); each != parameters_.end() && each->name.starts_with(dotted); ++each) {
    std::string_view rest = std::string_view(each->name).substr(dotted.size());
    rest = rest.substr(0, rest.find('.'));
    std::int64_t number = 0;
    // The number is put back into a name below, so only its plain form counts.
    if (!parse_int(rest, number) || std::to_string(number) != rest) continue;
    if (numbers.empty() || numbers.back() != number) numbers.push_back(number);
  }
  std::ranges::sort(numbers);
  const auto repeated = std::ranges::unique(numbers);
  numbers.erase(repeated.begin(), repeated.end());
  return numbers;
}

std::vector<std::string_view> Form::unused() const {
  std::vector<std::string_view> names;
  for (const Parameter& parameter : parameters_)
    if (!parameter.used) names.push_back(parameter.name);
  return names;
}

}  // namespace brume::protocols

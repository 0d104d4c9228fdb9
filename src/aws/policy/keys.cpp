#include "aws/policy/keys.h"

#include "core/text.h"

namespace brume::policy {

std::vector<std::string>& Keys::values_of(std::string_view name) {
  std::string lower = to_lower(name);
  for (auto& [known, values] : entries_)
    if (known == lower) return values;
  if (entries_.empty()) entries_.reserve(24);
  return entries_.emplace_back(std::move(lower), std::vector<std::string>()).second;
}

void Keys::add(std::string_view name, std::string value) { values_of(name).push_back(std::move(value)); }

void Keys::set(std::string_view name, std::string value) {
  auto& values = values_of(name);
  values.clear();
  values.push_back(std::move(value));
}

const std::vector<std::string>* Keys::find(std::string_view lower_name) const {
  for (const auto& [known, values] : entries_)
    if (known == lower_name) return &values;
  return nullptr;
}

}  // namespace brume::policy

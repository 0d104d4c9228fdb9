#include "services/ec2/describe.h"

#include <algorithm>

namespace brume::ec2 {

namespace {

constexpr std::int64_t kSmallestPage = 5;
constexpr std::int64_t kLargestPage = 1000;

}  // namespace

std::size_t page_limit(const opt<std::int64_t>& max_results) {
  if (!max_results) return kLargestPage;
  if (*max_results < kSmallestPage || *max_results > kLargestPage) {
    throw invalid_parameter("Value ( " + std::to_string(*max_results) +
                            " ) for parameter maxResults is invalid. Expecting a value between 5 and 1000.");
  }
  return static_cast<std::size_t>(*max_results);
}

const std::vector<std::string>* literal_values(const Filters& filters, std::string_view name) {
  const auto found = std::ranges::find(filters, name, &Filter::name);
  if (found == filters.end()) return nullptr;
  const auto has_wildcard = [](const std::string& value) { return value.find_first_of("*?\\") != value.npos; };
  return std::ranges::any_of(found->values, has_wildcard) ? nullptr : &found->values;
}

AwsError invalid_next_token() { return {"InvalidNextToken", "The specified NextToken is not valid."}; }

}  // namespace brume::ec2

#include <array>

#include "core/text.h"
#include "planes/names/names.h"

namespace brume::names {

bool is_aws_name(std::string_view name) {
  // DECISIONS 10: what AWS answers itself. Other AWS properties (aws.amazon.com is under amazon.com) are ordinary
  // names.
  static constexpr std::array<std::string_view, 7> kDomains = {
      "amazonaws.com", "amazonaws.com.cn", "api.aws", "on.aws", "aws.dev", "cloudfront.net", "awsapps.com"};
  if (name.ends_with('.')) name.remove_suffix(1);
  for (std::string_view domain : kDomains) {
    if (name.size() < domain.size()) continue;
    const std::size_t start = name.size() - domain.size();
    if (equals_ignoring_case(name.substr(start), domain) && (start == 0 || name[start - 1] == '.')) return true;
  }
  return false;
}

}  // namespace brume::names

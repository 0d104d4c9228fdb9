// An ARN's parts where they stand, for whoever looks at many ARNs a request and keeps none. A value, any thread.
#pragma once

#include <optional>
#include <string_view>

namespace brume {

struct ArnView {
  std::string_view partition, service, region, account, resource;
};

// By "Amazon Resource Names" in the IAM guide; the resource may hold colons.
inline std::optional<ArnView> view_arn(std::string_view text) {
  if (!text.starts_with("arn:")) return std::nullopt;
  text.remove_prefix(4);
  ArnView arn;
  for (std::string_view* part : {&arn.partition, &arn.service, &arn.region, &arn.account}) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    *part = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  if (arn.partition.empty() || arn.service.empty() || text.empty()) return std::nullopt;
  arn.resource = text;
  return arn;
}

}  // namespace brume

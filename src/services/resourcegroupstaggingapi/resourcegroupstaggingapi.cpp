#include "services/resourcegroupstaggingapi/resourcegroupstaggingapi.h"

#include <algorithm>

#include "core/scope.h"

namespace brume::resourcegroupstaggingapi {

std::vector<TaggedResource> tagged_resources(const TaggingApi& api, const Scope& scope,
                                             const std::vector<std::string>& services) {
  std::vector<TaggedResource> found;
  for (const auto& [name, service] : api.services) {
    if (!services.empty() && std::ranges::find(services, name) == services.end()) continue;
    service->each(scope, [&](const std::string& arn, const Tags& tags) {
      if (!tags.empty()) found.push_back({arn, tags});
    });
  }
  std::ranges::sort(found, {}, &TaggedResource::arn);
  return found;
}

bool has_type(const std::string& arn, const std::string& type) {
  const std::optional<Arn> parsed = parse_arn(arn);
  const std::size_t colon = type.find(':');
  if (!parsed || parsed->service != type.substr(0, colon)) return false;
  if (colon == std::string::npos) return true;
  const std::string wanted = type.substr(colon + 1);
  // A bucket's ARN has no type in it, nor has a queue's.
  if (parsed->service == "s3") return wanted == "bucket";
  if (parsed->service == "sqs") return wanted == "queue";
  const std::string& resource = parsed->resource;
  return resource.starts_with(wanted) && resource.size() > wanted.size() &&
         (resource[wanted.size()] == '/' || resource[wanted.size()] == ':');
}

}  // namespace brume::resourcegroupstaggingapi

// Resources by their tags: GetResources, TagResources, UntagResources.
#include <algorithm>

#include "core/scope.h"
#include "services/resourcegroupstaggingapi/resourcegroupstaggingapi.h"

namespace brume::resourcegroupstaggingapi {
namespace {

constexpr std::int64_t kDefaultPage = 50;
constexpr std::int64_t kLargestPage = 100;
constexpr std::int64_t kFewestTags = 100, kMostTags = 500;
constexpr int kNotFound = 404;

[[noreturn]] void refuse(const std::string& message) { throw invalid_parameter_exception(message); }

// "GetResources": a list of ARNs goes with nothing else, and the limits of pages.
void check(const GetResourcesInput& input) {
  const auto& filters = input.tag_filters.get();
  const bool paged = input.resources_per_page || input.tags_per_page || input.pagination_token.get() != "";
  if (!input.resource_arn_list.get().empty() &&
      (!filters.empty() || !input.resource_type_filters.get().empty() || paged))
    refuse("ResourceARNList cannot be specified together with filters or the parameters of pages.");
  if (input.resources_per_page && (*input.resources_per_page < 1 || *input.resources_per_page > kLargestPage))
    refuse("ResourcesPerPage must be between 1 and 100.");
  if (input.tags_per_page && (*input.tags_per_page < kFewestTags || *input.tags_per_page > kMostTags))
    refuse("TagsPerPage must be between 100 and 500.");
  if (input.exclude_compliant_resources.value_or(false) && !input.include_compliance_details.value_or(false))
    refuse("ExcludeCompliantResources can be true only if IncludeComplianceDetails is true.");
  for (const TagFilter& filter : filters)
    if (filter.key.get().empty()) refuse("A tag filter must have a key.");
  for (const std::string& type : input.resource_type_filters.get())
    if (type.empty() || type.starts_with(':') || type.ends_with(':') || type.find('*') != std::string::npos)
      refuse("The resource type filter '" + type + "' is not of the form service[:resourceType].");
}

// "Multiple filters … must all be matched; of one key's values, one."
bool matches(const std::vector<TagFilter>& filters, const Tags& tags) {
  return std::ranges::all_of(filters, [&](const TagFilter& filter) {
    const auto found = tags.find(filter.key.get());
    if (found == tags.end()) return false;
    const auto& values = filter.values.get();
    return values.empty() || std::ranges::find(values, found->second) != values.end();
  });
}

std::vector<std::string> services_of(const std::vector<std::string>& types) {
  std::vector<std::string> services;
  for (const std::string& type : types) services.push_back(type.substr(0, type.find(':')));
  return services;
}

// "GetResources does not split a resource and its associated tags across pages": how many of them fit.
std::size_t fitting(const std::vector<TaggedResource>& found, std::int64_t most_tags) {
  std::int64_t tags = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    tags += std::max<std::int64_t>(1, static_cast<std::int64_t>(found[i].tags.size()));
    if (tags > most_tags) return std::max<std::size_t>(i, 1);
  }
  return found.size();
}

std::string filters_text(const GetResourcesInput& input) {
  std::string text;
  for (const TagFilter& filter : input.tag_filters.get()) {
    text += filter.key.get() + '\0';
    for (const std::string& value : filter.values.get()) text += value + '\1';
  }
  for (const std::string& type : input.resource_type_filters.get()) text += type + '\2';
  return text;
}

FailureInfo failure(int status, const std::string& code, const std::string& message) {
  FailureInfo info;
  info.status_code = status;
  info.error_code = code;
  info.error_message = message;
  return info;
}

// Each resource for itself: what fails is told by its ARN.
std::map<std::string, FailureInfo> change_each(TaggingApi& api, const RequestContext& context,
                                               const std::vector<std::string>& arns,
                                               const std::function<void(TaggedService&, const std::string&)>& change) {
  std::map<std::string, FailureInfo> failed;
  for (const std::string& arn : arns) {
    const std::optional<Arn> parsed = parse_arn(arn);
    if (!parsed) refuse("The ARN '" + arn + "' is not valid.");
    const auto service = api.services.find(parsed->service);
    if (service == api.services.end()) {
      failed[arn] = failure(kNotFound, "InternalServiceException", "Service not yet supported.");
      continue;
    }
    // "You can only tag resources that are located in the specified AWS Region for the AWS account."
    if ((!parsed->account.empty() && parsed->account != context.scope.account) ||
        (!parsed->region.empty() && parsed->region != context.scope.region)) {
      failed[arn] = failure(kNotFound, "InvalidParameterException", "The resource is not in this account and Region.");
      continue;
    }
    try {
      change(*service->second, arn);
    } catch (const AwsError& error) {
      const bool ours = error.status >= 500;
      failed[arn] =
          failure(error.status, ours ? "InternalServiceException" : "InvalidParameterException", error.message);
    }
  }
  return failed;
}

}  // namespace

GetResourcesOutput get_resources(TaggingApi& api, Tx&, const Request<GetResourcesInput>& request) {
  const GetResourcesInput& input = request.input;
  check(input);
  const auto& types = input.resource_type_filters.get();
  const auto& arns = input.resource_arn_list.get();
  auto found = tagged_resources(api, request.scope, services_of(types));
  const bool compliance = input.include_compliance_details.value_or(false);
  std::erase_if(found, [&](const TaggedResource& resource) {
    if (!arns.empty() && std::ranges::find(arns, resource.arn) == arns.end()) return true;
    if (!types.empty() &&
        std::ranges::none_of(types, [&](const std::string& type) { return has_type(resource.arn, type); }))
      return true;
    return !matches(input.tag_filters.get(), resource.tags);
  });
  // There are no tag policies, so that every resource is compliant with them.
  if (input.exclude_compliant_resources.value_or(false)) found.clear();
  const std::string purpose = paging_purpose("tagging:GetResources", request.scope, filters_text(input));
  auto limit = static_cast<std::size_t>(input.resources_per_page.value_or(kDefaultPage));
  GetResourcesOutput output;
  // The token's position first, then how many resources have no more tags than a page may.
  std::vector<TaggedResource> rest = found;
  cut_page(
      api.paging, purpose, input.pagination_token, found.size() + 1, rest,
      [](const TaggedResource& resource) { return resource.arn; },
      pagination_token_expired_exception("The pagination token is not valid."));
  if (input.tags_per_page) limit = std::min(limit, fitting(rest, *input.tags_per_page));
  if (!arns.empty()) limit = rest.size() + 1;
  const opt<std::string> next = cut_page(
      api.paging, purpose, {}, limit, rest, [](const TaggedResource& resource) { return resource.arn; },
      pagination_token_expired_exception(""));
  output.pagination_token = next.value_or("");
  output.resource_tag_mapping_list.ensure();
  for (const TaggedResource& resource : rest) {
    ResourceTagMapping& mapping = output.resource_tag_mapping_list->emplace_back();
    mapping.resource_arn = resource.arn;
    mapping.tags = tags_to<Tag>(resource.tags);
    if (!compliance) continue;
    ComplianceDetails& details = mapping.compliance_details.ensure();
    details.compliance_status = true;
    details.noncompliant_keys.ensure();
    details.keys_with_noncompliant_values.ensure();
  }
  return output;
}

TagResourcesOutput tag_resources(TaggingApi& api, Tx& tx, const Request<TagResourcesInput>& request) {
  const Tags& tags = request.input.tags.get();
  if (const std::string problem = tag_problem(tags); !problem.empty()) refuse(problem);
  TagResourcesOutput output;
  output.failed_resources_map =
      change_each(api, request, request.input.resource_arn_list.get(),
                  [&](TaggedService& service, const std::string& arn) { service.put(tx, request, arn, tags); });
  return output;
}

UntagResourcesOutput untag_resources(TaggingApi& api, Tx& tx, const Request<UntagResourcesInput>& request) {
  const auto& keys = request.input.tag_keys.get();
  for (const std::string& key : keys)
    if (key.starts_with("aws:")) refuse("Tags whose keys begin with aws: cannot be removed.");
  UntagResourcesOutput output;
  output.failed_resources_map =
      change_each(api, request, request.input.resource_arn_list.get(),
                  [&](TaggedService& service, const std::string& arn) { service.remove(tx, request, arn, keys); });
  return output;
}

}  // namespace brume::resourcegroupstaggingapi

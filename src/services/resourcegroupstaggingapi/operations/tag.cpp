// The keys and values that are in use: GetTagKeys, GetTagValues.
#include <set>

#include "services/resourcegroupstaggingapi/resourcegroupstaggingapi.h"

namespace brume::resourcegroupstaggingapi {
namespace {

constexpr std::size_t kPage = 500;

// A page of texts, in their order.
std::vector<std::string> page_of(const TaggingApi& api, const std::string& purpose, const opt<std::string>& token,
                                 const std::set<std::string>& texts, opt<std::string>& next) {
  std::vector<std::string> page(texts.begin(), texts.end());
  const opt<std::string> more = cut_page(
      api.paging, purpose, token, kPage, page, [](const std::string& text) { return text; },
      pagination_token_expired_exception("The pagination token is not valid."));
  next = more.value_or("");
  return page;
}

}  // namespace

GetTagKeysOutput get_tag_keys(TaggingApi& api, Tx&, const Request<GetTagKeysInput>& request) {
  std::set<std::string> keys;
  for (const TaggedResource& resource : tagged_resources(api, request.scope))
    for (const auto& [key, value] : resource.tags) keys.insert(key);
  GetTagKeysOutput output;
  output.tag_keys = page_of(api, paging_purpose("tagging:GetTagKeys", request.scope), request.input.pagination_token,
                            keys, output.pagination_token);
  return output;
}

GetTagValuesOutput get_tag_values(TaggingApi& api, Tx&, const Request<GetTagValuesInput>& request) {
  const std::string& key = request.input.key.get();
  std::set<std::string> values;
  for (const TaggedResource& resource : tagged_resources(api, request.scope))
    if (const auto found = resource.tags.find(key); found != resource.tags.end()) values.insert(found->second);
  GetTagValuesOutput output;
  output.tag_values = page_of(api, paging_purpose("tagging:GetTagValues", request.scope, key),
                              request.input.pagination_token, values, output.pagination_token);
  return output;
}

}  // namespace brume::resourcegroupstaggingapi

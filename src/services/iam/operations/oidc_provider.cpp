#include <algorithm>

#include "gen/iam.h"
#include "services/iam/iam.h"

namespace brume::iam {
namespace {

constexpr std::size_t kMostThumbprints = 5, kMostClients = 100, kMostProviders = 100;

// "The URL must begin with https:// and should correspond to the iss claim"; it has no query.
std::string checked_url(const std::string& url) {
  const std::string place = url.starts_with("https://") ? url.substr(8) : std::string();
  const bool host = !place.empty() && place.front() != '/' && place.find_first_of("?#@ ") == std::string::npos &&
                    place.substr(0, place.find('/')).find('.') != std::string::npos;
  if (!host) throw AwsError("ValidationError", "Invalid Open ID Connect Provider URL");
  return place.ends_with('/') ? place.substr(0, place.size() - 1) : place;
}

void check_thumbprints(const std::vector<std::string>& thumbprints) {
  if (thumbprints.size() > kMostThumbprints)
    throw invalid_input_exception("Thumbprint list must contain fewer than 5 entries.");
}

void check_clients(const std::vector<std::string>& clients) {
  if (clients.size() > kMostClients)
    throw limit_exceeded_exception("Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: " +
                                   std::to_string(kMostClients));
}

template <class Change>
void modify(Iam& iam, Tx& tx, const RequestContext& request, const std::string& arn, Change&& change) {
  const ProviderRecord& found = get_provider(iam, request, arn);
  iam.providers.modify(tx, global(request), std::string(found.url), change);
}

}  // namespace

CreateOpenIDConnectProviderOutput create_open_id_connect_provider(
    Iam& iam, Tx& tx, const Request<CreateOpenIDConnectProviderInput>& request) {
  const CreateOpenIDConnectProviderInput& input = request.input;
  check_thumbprints(input.thumbprint_list.get());
  check_clients(input.client_id_list.get());
  ProviderRecord provider;
  provider.url = checked_url(*input.url);
  provider.client_ids = input.client_id_list.get();
  provider.thumbprints = input.thumbprint_list.get();
  provider.tags = read_tags(input.tags.get());
  check_tags(provider.tags);
  if (iam.providers.find(global(request), provider.url) != nullptr)
    throw entity_already_exists_exception("Provider with url " + *input.url + " already exists.");
  if (iam.providers.select(global(request), [](const ProviderRecord&) { return true; }).size() >= kMostProviders)
    throw limit_exceeded_exception("Cannot exceed quota for OpenIdConnectProvidersPerAccount: " +
                                   std::to_string(kMostProviders));
  provider.arn = make_global_arn(request.scope, "iam", "oidc-provider/" + provider.url);
  provider.created = iam.clock.now();
  iam.providers.insert(tx, global(request), provider.url, provider);
  CreateOpenIDConnectProviderOutput output;
  output.open_id_connect_provider_arn = provider.arn;
  if (!provider.tags.empty()) output.tags = tags_to<Tag>(provider.tags);
  return output;
}

GetOpenIDConnectProviderOutput get_open_id_connect_provider(Iam& iam, Tx&,
                                                            const Request<GetOpenIDConnectProviderInput>& request) {
  const ProviderRecord& provider = get_provider(iam, request, *request.input.open_id_connect_provider_arn);
  GetOpenIDConnectProviderOutput output;
  output.url = provider.url;
  output.client_id_list = provider.client_ids;
  output.thumbprint_list = provider.thumbprints;
  output.create_date = provider.created;
  output.tags = tags_to<Tag>(provider.tags);
  return output;
}

ListOpenIDConnectProvidersOutput list_open_id_connect_providers(
    Iam& iam, Tx&, const Request<ListOpenIDConnectProvidersInput>& request) {
  ListOpenIDConnectProvidersOutput output;
  output.open_id_connect_provider_list.emplace();
  iam.providers.for_each(global(request), [&](const ProviderRecord& provider) {
    output.open_id_connect_provider_list->push_back({.arn = provider.arn});
  });
  return output;
}

// "This operation doesn't update any roles", and a provider that does not exist is no error.
DeleteOpenIDConnectProviderOutput delete_open_id_connect_provider(
    Iam& iam, Tx& tx, const Request<DeleteOpenIDConnectProviderInput>& request) {
  const std::string& arn = *request.input.open_id_connect_provider_arn;
  if (!parse_arn(arn)) throw invalid_input_exception("Invalid ARN: " + arn);
  const std::size_t slash = arn.find("oidc-provider/");
  if (slash != std::string::npos) iam.providers.erase(tx, global(request), arn.substr(slash + 14));
  return {};
}

UpdateOpenIDConnectProviderThumbprintOutput update_open_id_connect_provider_thumbprint(
    Iam& iam, Tx& tx, const Request<UpdateOpenIDConnectProviderThumbprintInput>& request) {
  check_thumbprints(request.input.thumbprint_list.get());
  modify(iam, tx, request, *request.input.open_id_connect_provider_arn,
         [&](ProviderRecord& provider) { provider.thumbprints = request.input.thumbprint_list.get(); });
  return {};
}

AddClientIDToOpenIDConnectProviderOutput add_client_id_to_open_id_connect_provider(
    Iam& iam, Tx& tx, const Request<AddClientIDToOpenIDConnectProviderInput>& request) {
  modify(iam, tx, request, *request.input.open_id_connect_provider_arn, [&](ProviderRecord& provider) {
    const std::string& client = *request.input.client_id;
    // "This operation is idempotent; it does not fail if you add an existing client ID".
    if (std::ranges::find(provider.client_ids, client) != provider.client_ids.end()) return;
    provider.client_ids.push_back(client);
    check_clients(provider.client_ids);
  });
  return {};
}

RemoveClientIDFromOpenIDConnectProviderOutput remove_client_id_from_open_id_connect_provider(
    Iam& iam, Tx& tx, const Request<RemoveClientIDFromOpenIDConnectProviderInput>& request) {
  modify(iam, tx, request, *request.input.open_id_connect_provider_arn,
         [&](ProviderRecord& provider) { std::erase(provider.client_ids, *request.input.client_id); });
  return {};
}

TagOpenIDConnectProviderOutput tag_open_id_connect_provider(Iam& iam, Tx& tx,
                                                            const Request<TagOpenIDConnectProviderInput>& request) {
  modify(iam, tx, request, *request.input.open_id_connect_provider_arn,
         [&](ProviderRecord& provider) { put_tags(provider.tags, read_tags(request.input.tags.get())); });
  return {};
}

UntagOpenIDConnectProviderOutput untag_open_id_connect_provider(
    Iam& iam, Tx& tx, const Request<UntagOpenIDConnectProviderInput>& request) {
  modify(iam, tx, request, *request.input.open_id_connect_provider_arn,
         [&](ProviderRecord& provider) { remove_tags(provider.tags, request.input.tag_keys.get()); });
  return {};
}

ListOpenIDConnectProviderTagsOutput list_open_id_connect_provider_tags(
    Iam& iam, Tx&, const Request<ListOpenIDConnectProviderTagsInput>& request) {
  auto tags = tags_to<Tag>(get_provider(iam, request, *request.input.open_id_connect_provider_arn).tags);
  ListOpenIDConnectProviderTagsOutput output;
  cut(iam, request, "ListOpenIDConnectProviderTags", tags, [](const Tag& tag) { return *tag.key; }, output);
  output.tags = std::move(tags);
  return output;
}

}  // namespace brume::iam

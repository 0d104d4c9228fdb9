// Repositories, their policies and tags, and the authorization token.
#include <algorithm>

#include "aws/policy/document.h"
#include "core/text.h"
#include "services/ecr/ecr.h"

namespace brume::ecr {
namespace {

// Brume serves each caller's own registry; another account's id is refused by name.
template <class Input>
void check_registry(const Request<Input>& request) {
  if (request.input.registry_id && *request.input.registry_id != request.scope.account)
    throw invalid_parameter_exception("Brume serves ecr operations on the caller's own registry only, not on " +
                                      *request.input.registry_id);
}

Repository describe(const Scope& scope, const RepositoryRecord& record) {
  Repository repository;
  repository.repository_arn = repository_arn(scope, record.name);
  repository.registry_id = scope.account;
  repository.repository_name = record.name;
  repository.repository_uri = registry_host(scope) + "/" + record.name;
  repository.created_at = record.created_at;
  repository.image_tag_mutability = record.mutability;
  repository.image_scanning_configuration.emplace().scan_on_push = record.scan_on_push;
  repository.encryption_configuration.emplace().encryption_type = "AES256";
  return repository;
}

void check_tags(const Tags& tags) {
  if (std::string problem = tag_problem(tags); !problem.empty()) throw invalid_tag_parameter_exception(problem);
}

void check_mutability(const opt<std::string>& mutability) {
  if (mutability && *mutability != "MUTABLE" && *mutability != "IMMUTABLE")
    throw invalid_parameter_exception("Brume does not serve imageTagMutability " + *mutability);
}

void check_scanning(const opt<ImageScanningConfiguration>& configuration) {
  if (configuration && configuration->scan_on_push.value_or(false))
    throw invalid_parameter_exception("Brume does not serve image scanning (imageScanningConfiguration.scanOnPush).");
}

// The repository that a tagging call's ARN names.
const RepositoryRecord& repository_of_arn(const Ecr& ecr, const Scope& scope, const std::string& text) {
  const std::optional<Arn> arn = parse_arn(text);
  constexpr std::string_view kPrefix = "repository/";
  if (!arn || arn->service != "ecr" || !arn->resource.starts_with(kPrefix))
    throw invalid_parameter_exception("Invalid parameter at 'resourceArn' failed to satisfy constraint: 'Invalid ARN'");
  return get_repository(ecr, scope, arn->resource.substr(kPrefix.size()));
}

}  // namespace

CreateRepositoryOutput create_repository(Ecr& ecr, Tx& tx, const Request<CreateRepositoryInput>& request) {
  const CreateRepositoryInput& input = request.input;
  check_registry(request);
  check_mutability(input.image_tag_mutability);
  check_scanning(input.image_scanning_configuration);
  if (input.encryption_configuration && input.encryption_configuration->encryption_type.value_or("AES256") != "AES256")
    throw invalid_parameter_exception("Brume does not serve encryptionType " +
                                      input.encryption_configuration->encryption_type.get());
  const Tags tags = tags_from(input.tags.get());
  check_tags(tags);
  const std::string& name = input.repository_name.get();
  if (ecr.repositories.find(request.scope, name) != nullptr)
    throw repository_already_exists_exception("The repository with name '" + name +
                                              "' already exists in the registry with id '" + request.scope.account +
                                              "'");
  CreateRepositoryOutput output;
  output.repository =
      describe(request.scope, ecr.repositories.insert(tx, request.scope, name,
                                                      {.name = name,
                                                       .mutability = input.image_tag_mutability.value_or("MUTABLE"),
                                                       .created_at = request.now,
                                                       .tags = tags}));
  return output;
}

DescribeRepositoriesOutput describe_repositories(Ecr& ecr, Tx&, const Request<DescribeRepositoriesInput>& request) {
  check_registry(request);
  DescribeRepositoriesOutput output;
  output.repositories.ensure();
  for (const std::string& name : request.input.repository_names.get())
    output.repositories->push_back(describe(request.scope, get_repository(ecr, request.scope, name)));
  if (!request.input.repository_names.get().empty()) return output;
  const std::string purpose = paging_purpose("ecr:DescribeRepositories", request.scope);
  const std::string start = page_start(ecr.paging, purpose, request.input.next_token,
                                       invalid_parameter_exception("Invalid parameter at 'nextToken'"));
  const auto limit = static_cast<std::size_t>(request.input.max_results.value_or(100));
  std::vector<const RepositoryRecord*> records;
  ecr.repositories.visit_from(request.scope, start.empty() ? start : start + '\0', [&](const RepositoryRecord& record) {
    records.push_back(&record);
    return records.size() <= limit;
  });
  output.next_token =
      end_page(ecr.paging, purpose, limit, records, [](const RepositoryRecord* record) { return record->name; });
  for (const RepositoryRecord* record : records) output.repositories->push_back(describe(request.scope, *record));
  return output;
}

DeleteRepositoryOutput delete_repository(Ecr& ecr, Tx& tx, const Request<DeleteRepositoryInput>& request) {
  check_registry(request);
  const RepositoryRecord record = get_repository(ecr, request.scope, request.input.repository_name.get());
  const auto images =
      ecr.images.select(request.scope, [&](const ImageRecord& image) { return image.repository == record.name; });
  if (!images.empty() && !request.input.force.value_or(false))
    throw repository_not_empty_exception("The repository with name '" + record.name + "' in registry with id '" +
                                         request.scope.account +
                                         "' cannot be deleted because it still contains images");
  std::vector<std::string> image_keys, layer_keys;
  for (const ImageRecord* image : images) image_keys.push_back(image->key());
  ecr.layers.for_all([&](const Scope& scope, std::string_view key, const LayerRecord&) {
    if (scope == request.scope && key.starts_with(record.name + "@")) layer_keys.emplace_back(key);
  });
  for (const std::string& key : image_keys) ecr.images.erase(tx, request.scope, key);
  for (const std::string& key : layer_keys) ecr.layers.erase(tx, request.scope, key);
  ecr.repositories.erase(tx, request.scope, record.name);
  if (ecr.needs.on_release) tx.on_commit(ecr.needs.on_release);
  DeleteRepositoryOutput output;
  output.repository = describe(request.scope, record);
  return output;
}

PutImageTagMutabilityOutput put_image_tag_mutability(Ecr& ecr, Tx& tx,
                                                     const Request<PutImageTagMutabilityInput>& request) {
  check_registry(request);
  check_mutability(request.input.image_tag_mutability);
  const std::string name = get_repository(ecr, request.scope, request.input.repository_name.get()).name;
  ecr.repositories.modify(tx, request.scope, name, [&](RepositoryRecord& record) {
    record.mutability = request.input.image_tag_mutability.get();
  });
  PutImageTagMutabilityOutput output;
  output.registry_id = request.scope.account;
  output.repository_name = name;
  output.image_tag_mutability = request.input.image_tag_mutability;
  return output;
}

PutImageScanningConfigurationOutput put_image_scanning_configuration(
    Ecr& ecr, Tx&, const Request<PutImageScanningConfigurationInput>& request) {
  check_registry(request);
  check_scanning(request.input.image_scanning_configuration);
  PutImageScanningConfigurationOutput output;
  output.registry_id = request.scope.account;
  output.repository_name = get_repository(ecr, request.scope, request.input.repository_name.get()).name;
  output.image_scanning_configuration.emplace().scan_on_push = false;
  return output;
}

PutLifecyclePolicyOutput put_lifecycle_policy(Ecr& ecr, Tx& tx, const Request<PutLifecyclePolicyInput>& request) {
  check_registry(request);
  const std::string name = get_repository(ecr, request.scope, request.input.repository_name.get()).name;
  const std::string& text = request.input.lifecycle_policy_text.get();
  if (std::string problem = lifecycle_problem(text); !problem.empty())
    throw invalid_parameter_exception(
        "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle "
        "policy validation failure:\n" +
        problem + "'");
  ecr.repositories.modify(tx, request.scope, name, [&](RepositoryRecord& record) { record.lifecycle_policy = text; });
  apply_lifecycle(ecr, tx, request.scope, name);
  PutLifecyclePolicyOutput output;
  output.registry_id = request.scope.account;
  output.repository_name = name;
  output.lifecycle_policy_text = text;
  return output;
}

GetLifecyclePolicyOutput get_lifecycle_policy(Ecr& ecr, Tx&, const Request<GetLifecyclePolicyInput>& request) {
  check_registry(request);
  const RepositoryRecord& record = get_repository(ecr, request.scope, request.input.repository_name.get());
  if (record.lifecycle_policy.empty())
    throw lifecycle_policy_not_found_exception("Lifecycle policy does not exist for the repository with name '" +
                                               record.name + "' in the registry with id '" + request.scope.account +
                                               "'");
  GetLifecyclePolicyOutput output;
  output.registry_id = request.scope.account;
  output.repository_name = record.name;
  output.lifecycle_policy_text = record.lifecycle_policy;
  output.last_evaluated_at = record.lifecycle_evaluated_at;
  return output;
}

DeleteLifecyclePolicyOutput delete_lifecycle_policy(Ecr& ecr, Tx& tx,
                                                    const Request<DeleteLifecyclePolicyInput>& request) {
  check_registry(request);
  const RepositoryRecord record = get_repository(ecr, request.scope, request.input.repository_name.get());
  if (record.lifecycle_policy.empty())
    throw lifecycle_policy_not_found_exception("Lifecycle policy does not exist for the repository with name '" +
                                               record.name + "' in the registry with id '" + request.scope.account +
                                               "'");
  ecr.repositories.modify(tx, request.scope, record.name,
                          [](RepositoryRecord& changed) { changed.lifecycle_policy.clear(); });
  DeleteLifecyclePolicyOutput output;
  output.registry_id = request.scope.account;
  output.repository_name = record.name;
  output.lifecycle_policy_text = record.lifecycle_policy;
  output.last_evaluated_at = record.lifecycle_evaluated_at;
  return output;
}

SetRepositoryPolicyOutput set_repository_policy(Ecr& ecr, Tx& tx, const Request<SetRepositoryPolicyInput>& request) {
  check_registry(request);
  const std::string name = get_repository(ecr, request.scope, request.input.repository_name.get()).name;
  const std::string& text = request.input.policy_text.get();
  // A repository's policy needs no Resource element: the repository is meant.
  if (const auto parsed = policy::parse_document(text, policy::Grammar::own_resource); !parsed)
    throw invalid_parameter_exception("Invalid parameter at 'PolicyText' failed to satisfy constraint: '" +
                                      parsed.error().message + "'");
  ecr.repositories.modify(tx, request.scope, name, [&](RepositoryRecord& record) { record.policy = text; });
  SetRepositoryPolicyOutput output;
  output.registry_id = request.scope.account;
  output.repository_name = name;
  output.policy_text = text;
  return output;
}

namespace {
const RepositoryRecord& repository_with_policy(const Ecr& ecr, const Scope& scope, const std::string& name) {
  const RepositoryRecord& record = get_repository(ecr, scope, name);
  if (record.policy.empty())
    throw repository_policy_not_found_exception("Repository policy does not exist for the repository with name '" +
                                                name + "' in the registry with id '" + scope.account + "'");
  return record;
}
}  // namespace

GetRepositoryPolicyOutput get_repository_policy(Ecr& ecr, Tx&, const Request<GetRepositoryPolicyInput>& request) {
  check_registry(request);
  const RepositoryRecord& record = repository_with_policy(ecr, request.scope, request.input.repository_name.get());
  GetRepositoryPolicyOutput output;
  output.registry_id = request.scope.account;
  output.repository_name = record.name;
  output.policy_text = record.policy;
  return output;
}

DeleteRepositoryPolicyOutput delete_repository_policy(Ecr& ecr, Tx& tx,
                                                      const Request<DeleteRepositoryPolicyInput>& request) {
  check_registry(request);
  const RepositoryRecord record = repository_with_policy(ecr, request.scope, request.input.repository_name.get());
  ecr.repositories.modify(tx, request.scope, record.name, [](RepositoryRecord& changed) { changed.policy.clear(); });
  DeleteRepositoryPolicyOutput output;
  output.registry_id = request.scope.account;
  output.repository_name = record.name;
  output.policy_text = record.policy;
  return output;
}

// Valid for twelve hours; the password is opaque and stands for the caller's access key.
GetAuthorizationTokenOutput get_authorization_token(Ecr& ecr, Tx& tx,
                                                    const Request<GetAuthorizationTokenInput>& request) {
  const std::string password = ecr.needs.random.hex(64);
  const Time expires = request.now + hours(12);
  ecr.tokens.insert(tx, request.scope, password, {request.principal.access_key_id, expires});
  GetAuthorizationTokenOutput output;
  AuthorizationData& data = output.authorization_data.ensure().emplace_back();
  data.authorization_token = to_base64("AWS:" + password);
  data.expires_at = expires;
  data.proxy_endpoint = "https://" + registry_host(request.scope);
  return output;
}

DescribeRegistryOutput describe_registry(Ecr&, Tx&, const Request<DescribeRegistryInput>& request) {
  DescribeRegistryOutput output;
  output.registry_id = request.scope.account;
  output.replication_configuration.emplace().rules.ensure();
  return output;
}

TagResourceOutput tag_resource(Ecr& ecr, Tx& tx, const Request<TagResourceInput>& request) {
  const RepositoryRecord& record = repository_of_arn(ecr, request.scope, request.input.resource_arn.get());
  Tags tags = record.tags;
  for (const auto& [key, value] : tags_from(request.input.tags.get())) tags[key] = value;
  check_tags(tags);
  ecr.repositories.modify(tx, request.scope, std::string(record.name),
                          [&](RepositoryRecord& changed) { changed.tags = tags; });
  return {};
}

UntagResourceOutput untag_resource(Ecr& ecr, Tx& tx, const Request<UntagResourceInput>& request) {
  const std::string name = repository_of_arn(ecr, request.scope, request.input.resource_arn.get()).name;
  ecr.repositories.modify(tx, request.scope, name, [&](RepositoryRecord& changed) {
    for (const std::string& key : request.input.tag_keys.get()) changed.tags.erase(key);
  });
  return {};
}

ListTagsForResourceOutput list_tags_for_resource(Ecr& ecr, Tx&, const Request<ListTagsForResourceInput>& request) {
  ListTagsForResourceOutput output;
  output.tags = tags_to<Tag>(repository_of_arn(ecr, request.scope, request.input.resource_arn.get()).tags);
  return output;
}

}  // namespace brume::ecr

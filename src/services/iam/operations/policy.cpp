#include <algorithm>

#include "services/iam/managed_policies.h"
#include "services/iam/policy_checks.h"
#include "services/iam/render.h"

namespace brume::iam {
namespace {

// The policy to read, AWS's own included.
ManagedView get_managed(const Iam& iam, const RequestContext& request, const std::string& arn) {
  std::optional<ManagedView> view = find_managed(iam, request.scope.account, arn);
  if (!view) throw no_such_entity_exception("Policy " + arn + " was not found.");
  return std::move(*view);
}

// Whether the policy counts as used, by the kind of use that is asked for.
bool is_used(const Indexes::Uses& uses, const std::string& usage) {
  const bool attached = uses.attached > 0, boundary = uses.boundaries > 0;
  if (usage == "PermissionsPolicy") return attached;
  if (usage == "PermissionsBoundary") return boundary;
  return attached || boundary;
}

}  // namespace

CreatePolicyOutput create_policy(Iam& iam, Tx& tx, const Request<CreatePolicyInput>& request) {
  const CreatePolicyInput& input = request.input;
  PolicyRecord record;
  record.name = *input.policy_name;
  record.path = input.path.value_or("/");
  record.arn = arn_of(request, "policy", record.path, record.name);
  check_managed_policy(*input.policy_document);
  record.tags = read_tags(input.tags.get());
  check_tags(record.tags);
  if (iam.policies.find(global(request), key_of(record.name)) != nullptr)
    throw entity_already_exists_exception("A policy called " + record.name +
                                          " already exists. Duplicate names are not allowed.");
  record.id = new_unique_id(iam, "ANPA");
  record.description = input.description.get();
  record.has_description = input.description.has_value();
  record.created = record.updated = iam.clock.now();
  record.versions.push_back({1, *input.policy_document, record.created});
  iam.policies.insert(tx, global(request), key_of(record.name), record);
  CreatePolicyOutput output;
  output.policy = render_policy(iam, request.scope.account, *find_managed(iam, request.scope.account, record.arn));
  // CreatePolicy does not tell the description back, GetPolicy does.
  output.policy->description.reset();
  if (!record.tags.empty()) output.policy->tags = tags_to<Tag>(record.tags);
  return output;
}

GetPolicyOutput get_policy(Iam& iam, Tx&, const Request<GetPolicyInput>& request) {
  const ManagedView view = get_managed(iam, request, *request.input.policy_arn);
  GetPolicyOutput output;
  output.policy = render_policy(iam, request.scope.account, view);
  output.policy->tags = view.tags == nullptr ? std::vector<Tag>() : tags_to<Tag>(*view.tags);
  return output;
}

ListPoliciesOutput list_policies(Iam& iam, Tx&, const Request<ListPoliciesInput>& request) {
  const ListPoliciesInput& input = request.input;
  const std::string scope = input.scope.value_or("All"), prefix = input.path_prefix.value_or("/");
  const auto wanted = [&](const std::string& path, const std::string& arn) {
    if (!path.starts_with(prefix)) return false;
    const Indexes::Uses uses = iam.indexes.uses(request.scope.account, arn);
    return !(input.only_attached.get() && uses.attached == 0) &&
           (!input.policy_usage_filter || is_used(uses, *input.policy_usage_filter));
  };
  // The account's own come first, then AWS's: "1/NAME", "2/ARN".
  struct Item {
    std::string key, arn;
  };
  std::vector<Item> items;
  const std::string purpose = marker_purpose(request, "ListPolicies");
  const std::string position = marker_position(iam, request, purpose);
  if (scope != "AWS" && !position.starts_with("2/"))
    for (const PolicyRecord* record :
         records_after(iam.policies, global(request), position.substr(std::min<std::size_t>(2, position.size())),
                       page_size(request) + 1, [&](const PolicyRecord& each) { return wanted(each.path, each.arn); }))
      items.push_back({"1/" + key_of(record->name), record->arn});
  if (scope != "Local") {
    const auto own = static_cast<std::ptrdiff_t>(items.size());
    for (const AwsManagedPolicy& policy : aws_managed_policies())
      if (Item item{"2/" + policy.arn(), policy.arn()};
          item.key > position && wanted(std::string(policy.path), item.arn))
        items.push_back(std::move(item));
    std::ranges::sort(items.begin() + own, items.end(), {}, &Item::key);
  }
  ListPoliciesOutput output;
  end_page(iam, request, purpose, items, [](const Item& item) { return item.key; }, output);
  output.policies.emplace();
  for (const Item& item : items) {
    Policy shown = render_policy(iam, request.scope.account, *find_managed(iam, request.scope.account, item.arn));
    shown.description.reset();
    output.policies->push_back(std::move(shown));
  }
  return output;
}

DeletePolicyOutput delete_policy(Iam& iam, Tx& tx, const Request<DeletePolicyInput>& request) {
  const PolicyRecord& record = get_own_policy(iam, request, "iam:DeletePolicy", *request.input.policy_arn);
  if (iam.indexes.uses(request.scope.account, record.arn) != Indexes::Uses())
    throw delete_conflict_exception("Cannot delete a policy attached to entities.");
  if (record.versions.size() > 1)
    throw delete_conflict_exception(
        "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. "
        "The default version is deleted with the policy.");
  iam.policies.erase(tx, global(request), key_of(record.name));
  return {};
}

ListEntitiesForPolicyOutput list_entities_for_policy(Iam& iam, Tx&,
                                                     const Request<ListEntitiesForPolicyInput>& request) {
  const ListEntitiesForPolicyInput& input = request.input;
  const std::string arn = get_managed(iam, request, *input.policy_arn).arn;
  const std::string filter = input.entity_filter.get(), prefix = input.path_prefix.value_or("/");
  const bool as_boundary = input.policy_usage_filter.get() == "PermissionsBoundary";
  const auto uses = [&](const auto& record) {
    const Permissions& permissions = record.permissions;
    const bool used = as_boundary ? permissions.boundary == arn
                                  : std::ranges::find(permissions.attached, arn) != permissions.attached.end();
    return used && record.path.starts_with(prefix);
  };
  // Groups, roles and users make one list of pages, in this order.
  struct Entity {
    const GroupRecord* group = nullptr;
    const RoleRecord* role = nullptr;
    const UserRecord* user = nullptr;
  };
  std::vector<Entity> entities;
  if (filter.empty() || filter == "Group")
    for (const GroupRecord* group : iam.groups.select(global(request), uses)) entities.push_back({.group = group});
  if (filter.empty() || filter == "Role")
    for (const RoleRecord* role : iam.roles.select(global(request), uses)) entities.push_back({.role = role});
  if (filter.empty() || filter == "User")
    for (const UserRecord* user : iam.users.select(global(request), uses)) entities.push_back({.user = user});
  ListEntitiesForPolicyOutput output;
  const auto key = [](const Entity& entity) {
    if (entity.group != nullptr) return "group/" + key_of(entity.group->name);
    return entity.role != nullptr ? "role/" + key_of(entity.role->name) : "user/" + key_of(entity.user->name);
  };
  cut(iam, request, "ListEntitiesForPolicy", entities, key, output);
  output.policy_groups.emplace();
  output.policy_roles.emplace();
  output.policy_users.emplace();
  for (const Entity& entity : entities) {
    if (entity.group != nullptr)
      output.policy_groups->push_back({.group_name = entity.group->name, .group_id = entity.group->id});
    else if (entity.role != nullptr)
      output.policy_roles->push_back({.role_name = entity.role->name, .role_id = entity.role->id});
    else
      output.policy_users->push_back({.user_name = entity.user->name, .user_id = entity.user->id});
  }
  return output;
}

TagPolicyOutput tag_policy(Iam& iam, Tx& tx, const Request<TagPolicyInput>& request) {
  const PolicyRecord& found = get_own_policy(iam, request, "iam:TagPolicy", *request.input.policy_arn);
  iam.policies.modify(tx, global(request), key_of(found.name),
                      [&](PolicyRecord& record) { put_tags(record.tags, read_tags(request.input.tags.get())); });
  return {};
}

UntagPolicyOutput untag_policy(Iam& iam, Tx& tx, const Request<UntagPolicyInput>& request) {
  const PolicyRecord& found = get_own_policy(iam, request, "iam:UntagPolicy", *request.input.policy_arn);
  iam.policies.modify(tx, global(request), key_of(found.name),
                      [&](PolicyRecord& record) { remove_tags(record.tags, request.input.tag_keys.get()); });
  return {};
}

ListPolicyTagsOutput list_policy_tags(Iam& iam, Tx&, const Request<ListPolicyTagsInput>& request) {
  const ManagedView view = get_managed(iam, request, *request.input.policy_arn);
  auto tags = view.tags == nullptr ? std::vector<Tag>() : tags_to<Tag>(*view.tags);
  ListPolicyTagsOutput output;
  cut(iam, request, "ListPolicyTags", tags, [](const Tag& tag) { return *tag.key; }, output);
  output.tags = std::move(tags);
  return output;
}

}  // namespace brume::iam

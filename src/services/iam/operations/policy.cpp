#include <algorithm>

#include "core/text.h"
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
  const bool attached = !uses.attached.empty(), boundary = !uses.boundaries.empty();
  if (usage == "PermissionsPolicy") return attached;
  if (usage == "PermissionsBoundary") return boundary;
  return attached || boundary;
}

// "If it is not included, all policies are returned": who has the policy attached and whose boundary it is.
std::vector<const Indexes::Ids*> uses_to_show(const Iam& iam, const Request<ListEntitiesForPolicyInput>& request,
                                              const std::string& arn) {
  const Indexes::Uses& uses = iam.indexes.uses(request.scope.account, arn);
  const std::string usage = request.input.policy_usage_filter.get();
  if (usage == "PermissionsPolicy") return {&uses.attached};
  if (usage == "PermissionsBoundary") return {&uses.boundaries};
  return {&uses.attached, &uses.boundaries};
}

// The first `limit` entities of a type after the position, from lists that ascend, each once.
template <class Matches>
std::vector<std::string> entities_after(const std::vector<const Indexes::Ids*>& lists, const std::string& type,
                                        const std::string& after, std::size_t limit, const Matches& matches) {
  std::vector<std::string> found;
  for (const Indexes::Ids* list : lists) {
    std::size_t taken = 0;
    for (auto entity = list->lower_bound(std::max(type, after));
         entity != list->end() && entity->starts_with(type) && taken < limit; ++entity)
      if (*entity != after && matches(*entity)) {
        found.push_back(*entity);
        ++taken;
      }
  }
  std::ranges::sort(found);
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

// The record that an entity's name stands for, when it is of this kind.
template <class Record>
const Record* record_of(const Table<Record>& table, const RequestContext& request, const std::string& entity,
                        std::string_view type) {
  return entity.starts_with(type) ? table.find(global(request), entity.substr(type.size())) : nullptr;
}

std::string path_of(const Iam& iam, const RequestContext& request, const std::string& entity) {
  if (const GroupRecord* group = record_of(iam.groups, request, entity, "group/")) return group->path;
  if (const RoleRecord* role = record_of(iam.roles, request, entity, "role/")) return role->path;
  if (const UserRecord* user = record_of(iam.users, request, entity, "user/")) return user->path;
  return {};
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
    const Indexes::Uses& uses = iam.indexes.uses(request.scope.account, arn);
    return !(input.only_attached.get() && uses.attached.empty()) &&
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
  if (!iam.indexes.uses(request.scope.account, record.arn).empty())
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
  const std::string prefix = input.path_prefix.value_or("/");
  const std::string type = input.entity_filter ? to_lower(*input.entity_filter) + "/" : std::string();
  const std::string purpose = marker_purpose(request, "ListEntitiesForPolicy");
  const std::string after = marker_position(iam, request, purpose);
  std::vector<std::string> page = entities_after(
      uses_to_show(iam, request, arn), type, after, page_size(request) + 1,
      [&](const std::string& entity) { return prefix == "/" || path_of(iam, request, entity).starts_with(prefix); });
  ListEntitiesForPolicyOutput output;
  end_page(iam, request, purpose, page, [](const std::string& entity) { return entity; }, output);
  output.policy_groups.emplace();
  output.policy_roles.emplace();
  output.policy_users.emplace();
  for (const std::string& entity : page) {
    if (const GroupRecord* group = record_of(iam.groups, request, entity, "group/"))
      output.policy_groups->push_back({.group_name = group->name, .group_id = group->id});
    if (const RoleRecord* role = record_of(iam.roles, request, entity, "role/"))
      output.policy_roles->push_back({.role_name = role->name, .role_id = role->id});
    if (const UserRecord* user = record_of(iam.users, request, entity, "user/"))
      output.policy_users->push_back({.user_name = user->name, .user_id = user->id});
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

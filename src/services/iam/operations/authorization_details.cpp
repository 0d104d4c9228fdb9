#include <algorithm>
#include <string_view>
#include <utility>

#include "services/iam/policy_checks.h"
#include "services/iam/render.h"

namespace brume::iam {
namespace {

// One of the kinds; they make one list of pages, in the order of their keys.
struct Entity {
  std::string key;  // "1/NAME"
  const UserRecord* user = nullptr;
  const GroupRecord* group = nullptr;
  const RoleRecord* role = nullptr;
  std::string policy;  // an ARN
};

// The page from a position on: what comes before it is not looked at.
struct Listing {
  const Scope scope;
  const std::string position;
  const std::size_t most;
  std::vector<Entity> entities;

  // `kind` is the beginning of its keys, "3/"; `entity_of` makes an entity of a record.
  template <class Record, class EntityOf>
  void add(const Table<Record>& table, std::string_view kind, const EntityOf& entity_of) {
    if (entities.size() >= most || position.substr(0, 2) > kind) return;
    const std::string after = position.starts_with(kind) ? position.substr(2) : std::string();
    for (const Record* record :
         records_after(table, scope, after, most - entities.size(), [](const auto&) { return true; })) {
      Entity entity = entity_of(record);
      entity.key = std::string(kind) + key_of(record->name);
      entities.push_back(std::move(entity));
    }
  }
};

std::vector<PolicyDetail> inline_details(const Permissions& permissions) {
  std::vector<PolicyDetail> list;
  for (const auto& [name, document] : permissions.inline_policies)
    list.push_back({.policy_name = name, .policy_document = on_wire(document)});
  return list;
}

// What all kinds of details have of the noun and of what it may do.
template <class Detail, class Noun>
Detail begin_detail(const Noun& noun, const Permissions& permissions) {
  Detail detail;
  detail.path = noun.path;
  detail.arn = noun.arn;
  detail.create_date = noun.create_date;
  detail.attached_managed_policies = render_attached(permissions);
  return detail;
}

UserDetail detail_of(const UserRecord& record) {
  const User user = render_user(record);
  auto detail = begin_detail<UserDetail>(user, record.permissions);
  detail.user_name = user.user_name;
  detail.user_id = user.user_id;
  if (!record.permissions.inline_policies.empty()) detail.user_policy_list = inline_details(record.permissions);
  detail.group_list = record.groups;
  detail.permissions_boundary = user.permissions_boundary;
  detail.tags = tags_to<Tag>(record.tags);
  return detail;
}

GroupDetail detail_of(const GroupRecord& record) {
  const Group group = render_group(record);
  auto detail = begin_detail<GroupDetail>(group, record.permissions);
  detail.group_name = group.group_name;
  detail.group_id = group.group_id;
  detail.group_policy_list = inline_details(record.permissions);
  return detail;
}

RoleDetail detail_of(const Iam& iam, const std::string& account, const RoleRecord& record) {
  const Role role = render_role(iam, account, record);
  auto detail = begin_detail<RoleDetail>(role, record.permissions);
  detail.role_name = role.role_name;
  detail.role_id = role.role_id;
  detail.assume_role_policy_document = role.assume_role_policy_document;
  detail.instance_profile_list.emplace();
  for (const std::string& key : iam.indexes.ids(account, kProfilesOf, record.name))
    detail.instance_profile_list->push_back(render_profile(iam, account, *iam.profiles.find(global(account), key)));
  detail.role_policy_list = inline_details(record.permissions);
  detail.permissions_boundary = role.permissions_boundary;
  detail.tags = tags_to<Tag>(record.tags);
  detail.role_last_used = role.role_last_used;
  return detail;
}

ManagedPolicyDetail detail_of(const Iam& iam, const std::string& account, const std::string& arn) {
  const ManagedView view = *find_managed(iam, account, arn);
  const Policy policy = render_policy(iam, account, view);
  ManagedPolicyDetail detail;
  detail.policy_name = policy.policy_name;
  detail.policy_id = policy.policy_id;
  detail.arn = policy.arn;
  detail.path = policy.path;
  detail.default_version_id = policy.default_version_id;
  detail.attachment_count = policy.attachment_count;
  detail.permissions_boundary_usage_count = policy.permissions_boundary_usage_count;
  detail.is_attachable = true;
  detail.create_date = policy.create_date;
  detail.update_date = policy.update_date;
  detail.policy_version_list.emplace();
  for (const ManagedView::Version& version : view.versions)
    detail.policy_version_list->push_back({.document = on_wire(version.document),
                                           .version_id = version.id,
                                           .is_default_version = version.id == view.default_version,
                                           .create_date = version.created});
  return detail;
}

// AWS's own policies are told only when something has them attached.
void add_managed(const Iam& iam, const std::string& account, Listing& listing) {
  std::vector<std::string> arns = iam.indexes.used_policies(account);
  std::ranges::sort(arns);
  for (std::string& arn : arns)
    if (Entity entity{.key = "5/" + arn, .policy = arn};
        arn.find(":aws:policy/") != std::string::npos && entity.key > listing.position)
      listing.entities.push_back(std::move(entity));
}

}  // namespace

GetAccountAuthorizationDetailsOutput get_account_authorization_details(
    Iam& iam, Tx&, const Request<GetAccountAuthorizationDetailsInput>& request) {
  const std::vector<std::string>& filter = request.input.filter.get();
  const auto wanted = [&](const char* kind) {
    return filter.empty() || std::ranges::find(filter, kind) != filter.end();
  };
  const std::string& account = request.scope.account;
  const std::string purpose = marker_purpose(request, "GetAccountAuthorizationDetails");
  Listing listing{global(request), marker_position(iam, request, purpose), page_size(request) + 1, {}};
  if (wanted("User")) listing.add(iam.users, "1/", [](const UserRecord* user) { return Entity{.user = user}; });
  if (wanted("Group")) listing.add(iam.groups, "2/", [](const GroupRecord* group) { return Entity{.group = group}; });
  if (wanted("Role")) listing.add(iam.roles, "3/", [](const RoleRecord* role) { return Entity{.role = role}; });
  if (wanted("LocalManagedPolicy"))
    listing.add(iam.policies, "4/", [](const PolicyRecord* policy) { return Entity{.policy = policy->arn}; });
  if (wanted("AWSManagedPolicy")) add_managed(iam, account, listing);
  std::vector<Entity>& entities = listing.entities;
  GetAccountAuthorizationDetailsOutput output;
  end_page(iam, request, purpose, entities, [](const Entity& one) { return one.key; }, output);
  auto& users = output.user_detail_list.ensure();
  auto& groups = output.group_detail_list.ensure();
  auto& roles = output.role_detail_list.ensure();
  auto& policies = output.policies.ensure();
  for (const Entity& entity : entities) {
    if (entity.user != nullptr)
      users.push_back(detail_of(*entity.user));
    else if (entity.group != nullptr)
      groups.push_back(detail_of(*entity.group));
    else if (entity.role != nullptr)
      roles.push_back(detail_of(iam, account, *entity.role));
    else
      policies.push_back(detail_of(iam, account, entity.policy));
  }
  return output;
}

}  // namespace brume::iam

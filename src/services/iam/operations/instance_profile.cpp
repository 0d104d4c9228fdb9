#include "services/iam/policy_checks.h"
#include "services/iam/render.h"

namespace brume::iam {

CreateInstanceProfileOutput create_instance_profile(Iam& iam, Tx& tx,
                                                    const Request<CreateInstanceProfileInput>& request) {
  ProfileRecord profile;
  profile.name = *request.input.instance_profile_name;
  profile.path = request.input.path.value_or("/");
  profile.tags = read_tags(request.input.tags.get());
  check_tags(profile.tags);
  if (iam.profiles.find(global(request), key_of(profile.name)) != nullptr)
    throw entity_already_exists_exception("Instance Profile " + profile.name + " already exists.");
  profile.id = new_unique_id(iam, "AIPA");
  profile.arn = arn_of(request, "instance-profile", profile.path, profile.name);
  profile.created = iam.clock.now();
  CreateInstanceProfileOutput output;
  output.instance_profile = render_profile(iam, request.scope.account,
                                           iam.profiles.insert(tx, global(request), key_of(profile.name), profile));
  return output;
}

GetInstanceProfileOutput get_instance_profile(Iam& iam, Tx&, const Request<GetInstanceProfileInput>& request) {
  GetInstanceProfileOutput output;
  output.instance_profile =
      render_profile(iam, request.scope.account, get_profile(iam, request, *request.input.instance_profile_name));
  return output;
}

ListInstanceProfilesOutput list_instance_profiles(Iam& iam, Tx&, const Request<ListInstanceProfilesInput>& request) {
  const std::string prefix = request.input.path_prefix.value_or("/");
  ListInstanceProfilesOutput output;
  const auto found = page_of(
      iam, iam.profiles, request, "ListInstanceProfiles",
      [&](const ProfileRecord& profile) { return profile.path.starts_with(prefix); }, output);
  output.instance_profiles.emplace();
  for (const ProfileRecord* profile : found)
    output.instance_profiles->push_back(render_profile(iam, request.scope.account, *profile));
  return output;
}

ListInstanceProfilesForRoleOutput list_instance_profiles_for_role(
    Iam& iam, Tx&, const Request<ListInstanceProfilesForRoleInput>& request) {
  const RoleRecord& role = get_role(iam, request, *request.input.role_name);
  std::vector<const ProfileRecord*> found;
  for (const std::string& key : iam.indexes.ids(request.scope.account, kProfilesOf, role.name))
    found.push_back(iam.profiles.find(global(request), key));
  ListInstanceProfilesForRoleOutput output;
  cut(
      iam, request, "ListInstanceProfilesForRole", found,
      [](const ProfileRecord* profile) { return key_of(profile->name); }, output);
  output.instance_profiles.emplace();
  for (const ProfileRecord* profile : found)
    output.instance_profiles->push_back(render_profile(iam, request.scope.account, *profile));
  return output;
}

DeleteInstanceProfileOutput delete_instance_profile(Iam& iam, Tx& tx,
                                                    const Request<DeleteInstanceProfileInput>& request) {
  const ProfileRecord& profile = get_profile(iam, request, *request.input.instance_profile_name);
  if (!profile.role.empty())
    throw delete_conflict_exception("Cannot delete entity, must remove roles from instance profile first.");
  iam.profiles.erase(tx, global(request), key_of(profile.name));
  return {};
}

AddRoleToInstanceProfileOutput add_role_to_instance_profile(Iam& iam, Tx& tx,
                                                            const Request<AddRoleToInstanceProfileInput>& request) {
  const ProfileRecord& found = get_profile(iam, request, *request.input.instance_profile_name);
  const RoleRecord& role = get_role(iam, request, *request.input.role_name);
  if (!found.role.empty())
    throw limit_exceeded_exception("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1");
  iam.profiles.modify(tx, global(request), key_of(found.name),
                      [&](ProfileRecord& profile) { profile.role = role.name; });
  index_add(iam, tx, request.scope.account, kProfilesOf, role.name, key_of(found.name));
  return {};
}

RemoveRoleFromInstanceProfileOutput remove_role_from_instance_profile(
    Iam& iam, Tx& tx, const Request<RemoveRoleFromInstanceProfileInput>& request) {
  const ProfileRecord& found = get_profile(iam, request, *request.input.instance_profile_name);
  if (found.role.empty() || key_of(found.role) != key_of(*request.input.role_name))
    throw no_such_entity_exception("The role with name " + *request.input.role_name + " cannot be found.");
  index_remove(iam, tx, request.scope.account, kProfilesOf, found.role, key_of(found.name));
  iam.profiles.modify(tx, global(request), key_of(found.name), [&](ProfileRecord& profile) { profile.role.clear(); });
  return {};
}

TagInstanceProfileOutput tag_instance_profile(Iam& iam, Tx& tx, const Request<TagInstanceProfileInput>& request) {
  const ProfileRecord& found = get_profile(iam, request, *request.input.instance_profile_name);
  iam.profiles.modify(tx, global(request), key_of(found.name),
                      [&](ProfileRecord& profile) { put_tags(profile.tags, read_tags(request.input.tags.get())); });
  return {};
}

UntagInstanceProfileOutput untag_instance_profile(Iam& iam, Tx& tx, const Request<UntagInstanceProfileInput>& request) {
  const ProfileRecord& found = get_profile(iam, request, *request.input.instance_profile_name);
  iam.profiles.modify(tx, global(request), key_of(found.name),
                      [&](ProfileRecord& profile) { remove_tags(profile.tags, request.input.tag_keys.get()); });
  return {};
}

ListInstanceProfileTagsOutput list_instance_profile_tags(Iam& iam, Tx&,
                                                         const Request<ListInstanceProfileTagsInput>& request) {
  auto tags = tags_to<Tag>(get_profile(iam, request, *request.input.instance_profile_name).tags);
  ListInstanceProfileTagsOutput output;
  cut(iam, request, "ListInstanceProfileTags", tags, [](const Tag& tag) { return *tag.key; }, output);
  output.tags = std::move(tags);
  return output;
}

}  // namespace brume::iam

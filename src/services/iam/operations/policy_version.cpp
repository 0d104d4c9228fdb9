#include <algorithm>

#include "core/text.h"
#include "services/iam/policy_checks.h"
#include "services/iam/render.h"

namespace brume::iam {
namespace {

AwsError no_version(const std::string& arn, const std::string& version) {
  return no_such_entity_exception("Policy " + arn + " version " + version + " does not exist or is not attachable.");
}

// The number in "v3"; -1 for anything else.
std::int64_t number_of(const std::string& version) {
  std::int64_t number = 0;
  if (!version.starts_with('v') || !parse_int(std::string_view(version).substr(1), number)) return -1;
  return number;
}

PolicyVersion render_version(const ManagedView& view, const ManagedView::Version& version, bool with_document) {
  PolicyVersion shown;
  shown.version_id = version.id;
  shown.is_default_version = version.id == view.default_version;
  shown.create_date = version.created;
  if (with_document) shown.document = on_wire(version.document);
  return shown;
}

ManagedView get_managed(const Iam& iam, const RequestContext& request, const std::string& arn) {
  std::optional<ManagedView> view = find_managed(iam, request.scope.account, arn);
  if (!view) throw no_such_entity_exception("Policy " + arn + " was not found.");
  return std::move(*view);
}

}  // namespace

CreatePolicyVersionOutput create_policy_version(Iam& iam, Tx& tx, const Request<CreatePolicyVersionInput>& request) {
  const CreatePolicyVersionInput& input = request.input;
  const PolicyRecord& found = get_own_policy(iam, request, "iam:CreatePolicyVersion", *input.policy_arn);
  check_managed_policy(*input.policy_document);
  if (found.versions.size() >= kPolicyVersions)
    throw limit_exceeded_exception(
        "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing "
        "version.");
  const PolicyRecord& record = iam.policies.modify(tx, global(request), key_of(found.name), [&](PolicyRecord& policy) {
    policy.updated = iam.clock.now();
    policy.versions.push_back({++policy.last_version, *input.policy_document, policy.updated});
    if (input.set_as_default.get()) policy.default_version = policy.last_version;
  });
  const ManagedView view = get_managed(iam, request, record.arn);
  CreatePolicyVersionOutput output;
  output.policy_version = render_version(view, view.versions.front(), false);
  return output;
}

GetPolicyVersionOutput get_policy_version(Iam& iam, Tx&, const Request<GetPolicyVersionInput>& request) {
  const ManagedView view = get_managed(iam, request, *request.input.policy_arn);
  for (const ManagedView::Version& version : view.versions)
    if (version.id == *request.input.version_id) {
      GetPolicyVersionOutput output;
      output.policy_version = render_version(view, version, true);
      return output;
    }
  throw no_version(view.arn, *request.input.version_id);
}

ListPolicyVersionsOutput list_policy_versions(Iam& iam, Tx&, const Request<ListPolicyVersionsInput>& request) {
  ManagedView view = get_managed(iam, request, *request.input.policy_arn);
  ListPolicyVersionsOutput output;
  // Newest first: the pages' keys must ascend, so they count down from the last number.
  cut(
      iam, request, "ListPolicyVersions", view.versions,
      [](const ManagedView::Version& version) {
        const std::string countdown = std::to_string(1'000'000'000 - number_of(version.id));
        return std::string(10 - countdown.size(), '0') + countdown;
      },
      output);
  output.versions.emplace();
  for (const ManagedView::Version& version : view.versions)
    output.versions->push_back(render_version(view, version, false));
  return output;
}

DeletePolicyVersionOutput delete_policy_version(Iam& iam, Tx& tx, const Request<DeletePolicyVersionInput>& request) {
  const PolicyRecord& found = get_own_policy(iam, request, "iam:DeletePolicyVersion", *request.input.policy_arn);
  const std::int64_t number = number_of(*request.input.version_id);
  if (number == found.default_version)
    throw delete_conflict_exception("Cannot delete the default version of a policy.");
  iam.policies.modify(tx, global(request), key_of(found.name), [&](PolicyRecord& policy) {
    if (std::erase_if(policy.versions, [&](const PolicyVersionRecord& version) { return version.number == number; }) ==
        0)
      throw no_version(policy.arn, *request.input.version_id);
  });
  return {};
}

SetDefaultPolicyVersionOutput set_default_policy_version(Iam& iam, Tx& tx,
                                                         const Request<SetDefaultPolicyVersionInput>& request) {
  const PolicyRecord& found = get_own_policy(iam, request, "iam:SetDefaultPolicyVersion", *request.input.policy_arn);
  const std::int64_t number = number_of(*request.input.version_id);
  const bool exists =
      std::ranges::any_of(found.versions, [&](const PolicyVersionRecord& version) { return version.number == number; });
  if (!exists) throw no_version(found.arn, *request.input.version_id);
  iam.policies.modify(tx, global(request), key_of(found.name), [&](PolicyRecord& policy) {
    policy.default_version = number;
    policy.updated = iam.clock.now();
  });
  return {};
}

}  // namespace brume::iam

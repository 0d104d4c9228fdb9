#include <algorithm>

#include "gen/iam.h"
#include "services/iam/policy_checks.h"

namespace brume::iam {
namespace {

std::int64_t size_of(std::size_t size) { return static_cast<std::int64_t>(size); }

// The quotas of "IAM and AWS STS quotas" under their names in the summary.
constexpr std::pair<const char*, std::int64_t> kQuotas[] = {{"AccessKeysPerUserQuota", kAccessKeysPerUser},
                                                            {"AssumeRolePolicySizeQuota", kTrustPolicySize},
                                                            {"AttachedPoliciesPerGroupQuota", kAttachedPolicies},
                                                            {"AttachedPoliciesPerRoleQuota", kAttachedPolicies},
                                                            {"AttachedPoliciesPerUserQuota", kAttachedPolicies},
                                                            {"GlobalEndpointTokenVersion", 1},
                                                            {"GroupPolicySizeQuota", kGroupInlineSize},
                                                            {"GroupsPerUserQuota", kGroupsPerUser},
                                                            {"GroupsQuota", 300},
                                                            {"InstanceProfilesQuota", 1000},
                                                            {"PoliciesQuota", 1500},
                                                            {"PolicySizeQuota", kManagedPolicySize},
                                                            {"PolicyVersionsInUseQuota", 10'000},
                                                            {"RolePolicySizeQuota", kRoleInlineSize},
                                                            {"RolesQuota", 1000},
                                                            {"ServerCertificatesQuota", 20},
                                                            {"SigningCertificatesPerUserQuota", 2},
                                                            {"UserPolicySizeQuota", kUserInlineSize},
                                                            {"UsersQuota", 5000},
                                                            {"VersionsPerPolicyQuota", kPolicyVersions}};

}  // namespace

CreateAccountAliasOutput create_account_alias(Iam& iam, Tx& tx, const Request<CreateAccountAliasInput>& request) {
  const std::string& alias = *request.input.account_alias;
  // An alias is a name of the sign-in page: no two accounts have the same.
  iam.accounts.for_all([&](const Scope& scope, std::string_view, const AccountRecord& account) {
    if (account.alias == alias && scope.account != request.scope.account)
      throw entity_already_exists_exception("The account alias " + alias + " already exists.");
  });
  modify_account(iam, tx, request.scope.account, [&](AccountRecord& account) { account.alias = alias; });
  return {};
}

DeleteAccountAliasOutput delete_account_alias(Iam& iam, Tx& tx, const Request<DeleteAccountAliasInput>& request) {
  const std::string& alias = *request.input.account_alias;
  if (account_of(iam, request.scope.account).alias != alias)
    throw no_such_entity_exception("The account alias with name " + alias + " cannot be found.");
  modify_account(iam, tx, request.scope.account, [](AccountRecord& account) { account.alias.clear(); });
  return {};
}

ListAccountAliasesOutput list_account_aliases(Iam& iam, Tx&, const Request<ListAccountAliasesInput>& request) {
  ListAccountAliasesOutput output;
  output.account_aliases.emplace();
  if (const std::string alias = account_of(iam, request.scope.account).alias; !alias.empty())
    output.account_aliases->push_back(alias);
  output.is_truncated = false;
  return output;
}

UpdateAccountPasswordPolicyOutput update_account_password_policy(
    Iam& iam, Tx& tx, const Request<UpdateAccountPasswordPolicyInput>& request) {
  const UpdateAccountPasswordPolicyInput& input = request.input;
  // "This operation does not support partial updates": what is not given gets its default.
  PasswordRules rules;
  rules.minimum_length = input.minimum_password_length.value_or(6);
  rules.symbols = input.require_symbols.value_or(false);
  rules.numbers = input.require_numbers.value_or(false);
  rules.upper = input.require_uppercase_characters.value_or(false);
  rules.lower = input.require_lowercase_characters.value_or(false);
  rules.users_may_change = input.allow_users_to_change_password.value_or(false);
  rules.hard_expiry = input.hard_expiry.value_or(false);
  rules.maximum_age_days = input.max_password_age.value_or(0);
  rules.reuse_prevention = input.password_reuse_prevention.value_or(0);
  modify_account(iam, tx, request.scope.account, [&](AccountRecord& account) {
    account.has_rules = true;
    account.rules = rules;
  });
  return {};
}

GetAccountPasswordPolicyOutput get_account_password_policy(Iam& iam, Tx&,
                                                           const Request<GetAccountPasswordPolicyInput>& request) {
  const AccountRecord account = account_of(iam, request.scope.account);
  if (!account.has_rules)
    throw no_such_entity_exception("The Password Policy with domain name " + request.scope.account +
                                   " cannot be found.");
  const PasswordRules& rules = account.rules;
  GetAccountPasswordPolicyOutput output;
  PasswordPolicy& shown = output.password_policy.ensure();
  shown.minimum_password_length = rules.minimum_length;
  shown.require_symbols = rules.symbols;
  shown.require_numbers = rules.numbers;
  shown.require_uppercase_characters = rules.upper;
  shown.require_lowercase_characters = rules.lower;
  shown.allow_users_to_change_password = rules.users_may_change;
  shown.expire_passwords = rules.maximum_age_days > 0;
  if (rules.maximum_age_days > 0) shown.max_password_age = rules.maximum_age_days;
  if (rules.reuse_prevention > 0) shown.password_reuse_prevention = rules.reuse_prevention;
  shown.hard_expiry = rules.hard_expiry;
  return output;
}

DeleteAccountPasswordPolicyOutput delete_account_password_policy(
    Iam& iam, Tx& tx, const Request<DeleteAccountPasswordPolicyInput>& request) {
  if (!account_of(iam, request.scope.account).has_rules)
    throw no_such_entity_exception("The account policy with name PasswordPolicy cannot be found.");
  modify_account(iam, tx, request.scope.account, [](AccountRecord& account) { account.has_rules = false; });
  return {};
}

GetAccountSummaryOutput get_account_summary(Iam& iam, Tx&, const Request<GetAccountSummaryInput>& request) {
  const Scope scope = global(request);
  const auto everything = [](const auto&) { return true; };
  GetAccountSummaryOutput output;
  auto& map = output.summary_map.ensure();
  for (const auto& [name, value] : kQuotas) map[name] = value;
  map["Users"] = size_of(iam.users.select(scope, everything).size());
  map["Groups"] = size_of(iam.groups.select(scope, everything).size());
  map["Roles"] = size_of(iam.roles.select(scope, everything).size());
  map["InstanceProfiles"] = size_of(iam.profiles.select(scope, everything).size());
  map["Providers"] = size_of(iam.providers.select(scope, everything).size());
  std::int64_t policies = 0, versions = 0, devices = 0, in_use = 0;
  iam.policies.for_each(scope, [&](const PolicyRecord& policy) {
    ++policies;
    versions += size_of(policy.versions.size());
  });
  iam.devices.for_each(scope, [&](const DeviceRecord& device) {
    ++devices;
    in_use += device.enabled.ms != 0 ? 1 : 0;
  });
  map["Policies"] = policies;
  map["PolicyVersionsInUse"] = versions;
  map["MFADevices"] = devices;
  map["MFADevicesInUse"] = in_use;
  map["AccountMFAEnabled"] = 0;  // the root user has no device here
  map["AccountAccessKeysPresent"] = iam.indexes.ids(request.scope.account, kKeysOf, "").empty() ? 0 : 1;
  map["AccountSigningCertificatesPresent"] = 0;
  map["AccountPasswordPresent"] = 1;
  map["ServerCertificates"] = 0;
  return output;
}

}  // namespace brume::iam

// The policy simulator: SimulateCustomPolicy, SimulatePrincipalPolicy and the context keys that policies read. Nothing
// is called: policies are gathered and the engine is asked. Follows "Testing IAM policies with the IAM policy
// simulator" and the two operations' references.
#include <algorithm>
#include <set>
#include <utility>

#include "aws/policy/trace.h"
#include "core/text.h"
#include "gen/iam.h"
#include "services/iam/authorizer.h"
#include "services/iam/policy_checks.h"

namespace brume::iam {
namespace {

using policy::Grammar;

// A policy under simulation: as the engine has it, and its text, for the positions of its statements.
struct Simulated {
  std::map<std::string, std::string, std::less<>> texts;  // by the name in Policies
  std::map<std::string, std::string, std::less<>> types;
  policy::Policies policies;
  Principal principal;
  policy::Keys keys;
  std::set<std::string> given;  // lower-case names of the keys that are known
};

policy::Attached parse(Simulated& simulated, const std::string& name, const std::string& text, Grammar grammar,
                       const std::string& type) {
  auto parsed = policy::parse_document(text, grammar);
  if (!parsed) throw invalid_input_exception("Invalid policy " + name + ": " + parsed.error().message);
  simulated.texts[name] = text;
  simulated.types[name] = type;
  return {name, std::make_shared<const policy::Document>(std::move(*parsed))};
}

void add_list(Simulated& simulated, const std::vector<std::string>& texts, const std::string& prefix,
              const std::string& type, std::vector<policy::Attached>& list) {
  for (std::size_t i = 0; i < texts.size(); ++i)
    list.push_back(parse(simulated, prefix + "." + std::to_string(i + 1), texts[i], Grammar::identity, type));
}

void set_key(Simulated& simulated, const std::string& name, const std::string& value) {
  simulated.keys.set(name, value);
  simulated.given.insert(to_lower(name));
}

// Who calls: a user, by its ARN, which need not exist for SimulateCustomPolicy.
Principal caller_of(const std::string& text, const std::string& name) {
  const std::optional<Arn> arn = parse_arn(text);
  if (!arn || arn->service != "iam" || !arn->resource.starts_with("user/"))
    throw invalid_input_exception("Invalid Entity Arn: " + text + " does not clearly define entity type and name for " +
                                  name + ".");
  Principal principal;
  principal.kind = Principal::Kind::user;
  principal.account = arn->account;
  principal.arn = text;
  return principal;
}

template <class Input>
void add_common(Simulated& simulated, const Input& input) {
  add_list(simulated, input.permissions_boundary_policy_input_list.get(), "PermissionsBoundaryPolicyInputList",
           "IAM Policy", simulated.policies.boundary);
  if (!simulated.policies.boundary.empty()) simulated.policies.has_boundary = true;
  if (input.resource_policy) {
    simulated.policies.resource.push_back(
        parse(simulated, "ResourcePolicy", *input.resource_policy, Grammar::own_resource, "Resource Policy"));
  }
  if (input.resource_owner) {
    const std::optional<Arn> owner = parse_arn(*input.resource_owner);
    if (!owner) throw invalid_input_exception("ResourceOwner must be the ARN of an account.");
    simulated.policies.resource_account = owner->account;
  }
  if constexpr (requires { input.ordered_organization_policy_input_list; }) {
    std::size_t number = 0;
    for (const OrderedOrganizationPolicyType& level : input.ordered_organization_policy_input_list.get())
      add_list(simulated, level.service_control_policy_input_list.get(),
               "OrderedOrganizationPolicyInputList." + std::to_string(++number), "Organization Policy",
               simulated.policies.service_control.emplace_back());
  }
  if (!simulated.principal.arn.empty()) {
    const std::string& arn =
        simulated.principal.role_arn.empty() ? simulated.principal.arn : simulated.principal.role_arn;
    set_key(simulated, "aws:PrincipalArn", arn);
    set_key(simulated, "aws:PrincipalAccount", simulated.principal.account);
    if (!simulated.principal.id.empty()) set_key(simulated, "aws:userid", simulated.principal.id);
    if (simulated.principal.kind == Principal::Kind::user)
      set_key(simulated, "aws:username", arn.substr(arn.rfind('/') + 1));
  }
  for (const ContextEntry& entry : input.context_entries.get()) {
    if (!entry.context_key_name) continue;
    simulated.given.insert(to_lower(*entry.context_key_name));
    for (const std::string& value : entry.context_key_values.get()) simulated.keys.add(*entry.context_key_name, value);
  }
}

// The policies' statements that applied, by document and place.
std::vector<Statement> matched(const Simulated& simulated, const policy::Decision& decision) {
  std::vector<Statement> list;
  for (const policy::Match& match : decision.matches) {
    Statement statement;
    statement.source_policy_id = match.policy->name;
    statement.source_policy_type = simulated.types.find(match.policy->name)->second;
    const auto ranges = policy::statement_ranges(simulated.texts.find(match.policy->name)->second);
    if (match.statement < ranges.size()) {
      const policy::TextRange& range = ranges[match.statement];
      Position& start = statement.start_position.ensure();
      start.line = range.start.line;
      start.column = range.start.column;
      Position& end = statement.end_position.ensure();
      end.line = range.end.line;
      end.column = range.end.column;
    }
    list.push_back(std::move(statement));
  }
  return list;
}

std::string word_of(const policy::Decision& decision) {
  if (decision.allowed) return "allowed";
  return decision.explicit_deny ? "explicitDeny" : "implicitDeny";
}

std::vector<std::string> missing_keys(const Simulated& simulated) {
  std::set<std::string> missing;
  const auto collect = [&](const std::vector<policy::Attached>& list) {
    for (const policy::Attached& attached : list)
      for (std::string& key : policy::context_keys(*attached.document))
        if (!simulated.given.contains(to_lower(key))) missing.insert(std::move(key));
  };
  collect(simulated.policies.identity);
  collect(simulated.policies.boundary);
  collect(simulated.policies.resource);
  return {missing.begin(), missing.end()};
}

// An organization lets through what is allowed at its root, in every unit below it and at the account.
bool every_level_allows(const policy::Policies& policies, const policy::Decision& decision) {
  return std::ranges::all_of(policies.service_control, [&](const std::vector<policy::Attached>& level) {
    return std::ranges::any_of(decision.matches, [&](const policy::Match& match) {
      return match.kind == policy::PolicyKind::service_control && match.effect == policy::Effect::allow &&
             std::ranges::any_of(level, [&](const policy::Attached& attached) { return &attached == match.policy; });
    });
  });
}

EvaluationResult evaluate(const Simulated& simulated, const std::string& action, const std::string& resource,
                          const std::vector<std::string>& missing) {
  const policy::Decision decision =
      policy::decide({simulated.principal, action, resource, simulated.keys}, simulated.policies);
  EvaluationResult result;
  result.eval_action_name = action;
  result.eval_resource_name = resource;
  result.eval_decision = word_of(decision);
  result.matched_statements = matched(simulated, decision);
  result.missing_context_values = missing;
  ResourceSpecificResult specific;
  specific.eval_resource_name = resource;
  specific.eval_resource_decision = result.eval_decision;
  specific.matched_statements = result.matched_statements;
  specific.missing_context_values = missing;
  const auto has_match = [&](policy::PolicyKind kind, policy::Effect effect) {
    return std::ranges::any_of(
        decision.matches, [&](const policy::Match& match) { return match.kind == kind && match.effect == effect; });
  };
  if (simulated.policies.has_boundary) {
    const bool within = has_match(policy::PolicyKind::boundary, policy::Effect::allow) &&
                        !has_match(policy::PolicyKind::boundary, policy::Effect::deny);
    result.permissions_boundary_decision_detail.ensure().allowed_by_permissions_boundary = within;
    specific.permissions_boundary_decision_detail.ensure().allowed_by_permissions_boundary = within;
  }
  if (!simulated.policies.service_control.empty())
    result.organizations_decision_detail.ensure().allowed_by_organizations =
        every_level_allows(simulated.policies, decision) &&
        !has_match(policy::PolicyKind::service_control, policy::Effect::deny);
  // "When you simulate a cross-account request": what each side says alone.
  const std::string& owner = simulated.policies.resource_account;
  if (!owner.empty() && owner != simulated.principal.account) {
    auto& details = result.eval_decision_details.ensure();
    details["IAM Policy"] = has_match(policy::PolicyKind::identity, policy::Effect::allow) ? "allowed" : "implicitDeny";
    details["Resource Policy"] =
        has_match(policy::PolicyKind::resource, policy::Effect::allow) ? "allowed" : "implicitDeny";
  }
  result.resource_specific_results.ensure().push_back(std::move(specific));
  return result;
}

template <class Input, class Output>
Output simulate(const Iam& iam, const Request<Input>& request, const Simulated& simulated) {
  std::vector<std::string> resources = request.input.resource_arns.get();
  if (resources.empty()) resources.emplace_back("*");
  struct Pair {
    const std::string *action, *resource;
    std::string key;
  };
  std::vector<Pair> pairs;
  for (const std::string& action : request.input.action_names.get()) {
    if (action.find(':') == std::string::npos || action.find_first_of("*? ") != std::string::npos)
      throw invalid_input_exception("Invalid action name: " + action);
    for (const std::string& resource : resources) {
      const std::string number = std::to_string(pairs.size());
      pairs.push_back({&action, &resource, std::string(8 - number.size(), '0') + number});
    }
  }
  if (pairs.size() > 100'000) throw invalid_input_exception("Too many actions and resources for one simulation.");
  Output output;
  cut(iam, request, "SimulatePolicy", pairs, [](const Pair& pair) { return pair.key; }, output);
  const std::vector<std::string> missing = missing_keys(simulated);
  output.evaluation_results.emplace();
  for (const Pair& pair : pairs)
    output.evaluation_results->push_back(evaluate(simulated, *pair.action, *pair.resource, missing));
  return output;
}

void add_permissions(const Iam& iam, Simulated& simulated, const Permissions& permissions, const std::string& owner) {
  const std::string type = "IAM Policy";
  auto& identity = simulated.policies.identity;
  for (const auto& [name, text] : permissions.inline_policies)
    identity.push_back(parse(simulated, owner + "_" + name, text, Grammar::identity, type));
  for (const std::string& arn : permissions.attached)
    if (const std::string_view text = managed_document(iam, arn); !text.empty())
      identity.push_back(parse(simulated, arn.substr(arn.rfind('/') + 1), std::string(text), Grammar::identity, type));
  if (permissions.boundary.empty()) return;
  simulated.policies.has_boundary = true;
  if (const std::string_view text = managed_document(iam, permissions.boundary); !text.empty())
    simulated.policies.boundary.push_back(
        parse(simulated, permissions.boundary, std::string(text), Grammar::identity, "IAM Policy"));
}

// The user, group or role whose policies are meant, with everything that applies to it.
Simulated source_of(const Iam& iam, const std::string& arn) {
  Simulated simulated;
  Principal& principal = simulated.principal;
  if (const UserRecord* user = find_user(iam, arn)) {
    principal.kind = Principal::Kind::user;
    principal.arn = arn;
    principal.id = user->id;
    add_permissions(iam, simulated, user->permissions, "user_" + user->name);
    for (const std::string& name : user->groups)
      if (const GroupRecord* group = iam.groups.find(global(parse_arn(arn)->account), key_of(name)))
        add_permissions(iam, simulated, group->permissions, "group_" + name);
  } else if (const RoleRecord* role = find_role(iam, arn)) {
    principal.kind = Principal::Kind::role_session;
    principal.arn = principal.role_arn = arn;
    principal.id = role->id;
    add_permissions(iam, simulated, role->permissions, "role_" + role->name);
  } else if (const GroupRecord* group = find_group(iam, arn)) {
    principal.kind = Principal::Kind::user;
    add_permissions(iam, simulated, group->permissions, "group_" + group->name);
  } else {
    throw no_such_entity_exception("ARN " + arn + " does not exist.");
  }
  principal.account = parse_arn(arn)->account;
  return simulated;
}

std::vector<std::string> keys_of(const std::vector<policy::Attached>& list) {
  std::set<std::string> keys;
  for (const policy::Attached& attached : list)
    for (std::string& key : policy::context_keys(*attached.document)) keys.insert(std::move(key));
  return {keys.begin(), keys.end()};
}

}  // namespace

SimulateCustomPolicyOutput simulate_custom_policy(Iam& iam, Tx&, const Request<SimulateCustomPolicyInput>& request) {
  Simulated simulated;
  add_list(simulated, request.input.policy_input_list.get(), "PolicyInputList", "IAM Policy",
           simulated.policies.identity);
  if (request.input.caller_arn) simulated.principal = caller_of(*request.input.caller_arn, "CallerArn");
  if (request.input.resource_policy && !request.input.caller_arn)
    throw invalid_input_exception("CallerArn is required when a ResourcePolicy is given.");
  if (!request.input.caller_arn) {
    simulated.principal.kind = Principal::Kind::user;
    simulated.principal.account = request.scope.account;
  }
  add_common(simulated, request.input);
  return simulate<SimulateCustomPolicyInput, SimulateCustomPolicyOutput>(iam, request, simulated);
}

SimulatePrincipalPolicyOutput simulate_principal_policy(Iam& iam, Tx&,
                                                        const Request<SimulatePrincipalPolicyInput>& request) {
  Simulated simulated = source_of(iam, *request.input.policy_source_arn);
  add_list(simulated, request.input.policy_input_list.get(), "PolicyInputList", "IAM Policy",
           simulated.policies.identity);
  if (request.input.caller_arn) simulated.principal = caller_of(*request.input.caller_arn, "CallerArn");
  // Given boundaries take the place of the entity's own.
  if (!request.input.permissions_boundary_policy_input_list.get().empty()) simulated.policies.boundary.clear();
  add_common(simulated, request.input);
  return simulate<SimulatePrincipalPolicyInput, SimulatePrincipalPolicyOutput>(iam, request, simulated);
}

GetContextKeysForCustomPolicyOutput get_context_keys_for_custom_policy(
    Iam&, Tx&, const Request<GetContextKeysForCustomPolicyInput>& request) {
  Simulated simulated;
  add_list(simulated, request.input.policy_input_list.get(), "PolicyInputList", "IAM Policy",
           simulated.policies.identity);
  GetContextKeysForCustomPolicyOutput output;
  output.context_key_names = keys_of(simulated.policies.identity);
  return output;
}

GetContextKeysForPrincipalPolicyOutput get_context_keys_for_principal_policy(
    Iam& iam, Tx&, const Request<GetContextKeysForPrincipalPolicyInput>& request) {
  Simulated simulated = source_of(iam, *request.input.policy_source_arn);
  add_list(simulated, request.input.policy_input_list.get(), "PolicyInputList", "IAM Policy",
           simulated.policies.identity);
  GetContextKeysForPrincipalPolicyOutput output;
  output.context_key_names = keys_of(simulated.policies.identity);
  return output;
}

}  // namespace brume::iam

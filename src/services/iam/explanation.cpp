#include "services/iam/explanation.h"

#include <algorithm>
#include <boost/json.hpp>
#include <string_view>
#include <utility>

#include "aws/authorization.h"
#include "aws/policy/trace.h"
#include "core/scope.h"

namespace brume::iam {
namespace {

namespace json = boost::json;
using policy::Attached;
using policy::Effect;
using policy::PolicyKind;

json::array array_of(const std::vector<std::string>& list) {
  json::array array;
  for (const std::string& text : list) array.emplace_back(text);
  return array;
}

std::string_view kind_name(PolicyKind kind) {
  switch (kind) {
    case PolicyKind::service_control:
      return "service control policy";
    case PolicyKind::resource:
      return "resource-based policy";
    case PolicyKind::identity:
      return "identity-based policy";
    case PolicyKind::boundary:
      return "permissions boundary";
    case PolicyKind::session:
      return "session policy";
    case PolicyKind::endpoint:
      return "VPC endpoint policy";
  }
  return "policy";
}

std::string_view principal_kind(Principal::Kind kind) {
  constexpr std::string_view kNames[] = {"anonymous", "root", "user", "role session", "federated user", "service"};
  return kNames[static_cast<std::size_t>(kind)];
}

// One statement with how it fared.
struct Traced {
  PolicyKind kind;
  const Attached* attached;
  policy::StatementTrace trace;
};

class Explainer {
 public:
  explicit Explainer(const DecisionRecord& record)
      : record_(record), question_{record.principal, record.action, record.resource, record.keys} {
    const policy::Policies& policies = record.policies;
    trace(policies.endpoint, PolicyKind::endpoint);
    for (const auto& level : policies.service_control) trace(level, PolicyKind::service_control);
    trace(policies.resource, PolicyKind::resource);
    trace(policies.identity, PolicyKind::identity);
    trace(policies.boundary, PolicyKind::boundary);
    trace(policies.session, PolicyKind::session);
  }

  json::object explain() const;

 private:
  void trace(const std::vector<Attached>& list, PolicyKind kind);
  json::array policies() const;
  json::array steps() const;
  json::array remedies() const;
  void add_near_misses(PolicyKind kind, json::array& remedies) const;
  bool applied(PolicyKind kind, Effect effect) const;
  std::string place_of(const Traced& traced) const;
  bool across() const {
    const std::string& owner = record_.policies.resource_account;
    return !owner.empty() && owner != record_.principal.account;
  }
  std::string statement_for(bool resource_policy) const;
  // What a VPC endpoint refuses, nothing else was asked about.
  bool counts(PolicyKind kind) const {
    return (kind == PolicyKind::endpoint) == (record_.decision.reason.find("VPC endpoint") != std::string::npos);
  }

  const DecisionRecord& record_;
  policy::Question question_;
  std::vector<Traced> traced_;
  std::vector<std::pair<PolicyKind, const Attached*>> order_;
};

void Explainer::trace(const std::vector<Attached>& list, PolicyKind kind) {
  for (const Attached& attached : list) {
    order_.emplace_back(kind, &attached);
    if (!attached.document) continue;
    for (std::size_t i = 0; i < attached.document->statements.size(); ++i)
      traced_.push_back({kind, &attached, policy::trace(attached.document->statements[i], i, kind, question_)});
  }
}

bool Explainer::applied(PolicyKind kind, Effect effect) const {
  return std::ranges::any_of(traced_, [&](const Traced& traced) {
    return traced.kind == kind && traced.trace.effect == effect && traced.trace.applied;
  });
}

std::string Explainer::place_of(const Traced& traced) const {
  std::string place = "statement " + std::to_string(traced.trace.index + 1);
  if (!traced.trace.sid.empty()) place += " (" + traced.trace.sid + ")";
  const bool trust = traced.kind == PolicyKind::resource && record_.policies.resource_is_trust;
  return place + " of the " + (trust ? "role trust policy" : std::string(kind_name(traced.kind))) + " " +
         traced.attached->name;
}

json::array Explainer::policies() const {
  json::array list;
  for (const auto& [kind, attached] : order_) {
    json::array statements;
    for (const Traced& traced : traced_) {
      if (traced.attached != attached || traced.kind != kind) continue;
      json::array elements;
      for (const policy::ElementTrace& element : traced.trace.elements)
        elements.push_back(json::object{{"element", element.element},
                                        {"matched", element.matched},
                                        {"wanted", array_of(element.wanted)},
                                        {"given", array_of(element.given)}});
      statements.push_back(json::object{{"number", traced.trace.index + 1},
                                        {"sid", traced.trace.sid},
                                        {"effect", traced.trace.effect == Effect::allow ? "Allow" : "Deny"},
                                        {"applied", traced.trace.applied},
                                        {"elements", std::move(elements)}});
    }
    const bool trust = kind == PolicyKind::resource && record_.policies.resource_is_trust;
    list.push_back(json::object{{"kind", trust ? "role trust policy" : kind_name(kind)},
                                {"name", attached->name},
                                {"readable", attached->document != nullptr},
                                {"statements", std::move(statements)}});
  }
  return list;
}

// The evaluation in AWS's order, with what each step came to.
json::array Explainer::steps() const {
  json::array steps;
  const auto add = [&](std::string_view step, std::string_view result) {
    steps.push_back(json::object{{"step", step}, {"result", result}});
  };
  if (record_.root_shortcut) {
    add("root user", "the root user of the account that owns the resource, which has no policy of its own: allowed");
    return steps;
  }
  if (!record_.policies.endpoint.empty()) {
    add("VPC endpoint policy", applied(PolicyKind::endpoint, Effect::deny) ? "a statement denies: nothing else counts"
                                                                           : "no Allow applies: nothing else counts");
    return steps;
  }
  add("explicit deny", record_.decision.explicit_deny ? "a statement denies: nothing else counts" : "none applies");
  const auto said = [&](PolicyKind kind) {
    return applied(kind, Effect::allow) ? "an Allow applies" : "no Allow applies";
  };
  const policy::Policies& policies = record_.policies;
  if (!policies.service_control.empty()) add("service control policies", said(PolicyKind::service_control));
  const bool trust = policies.resource_is_trust;
  add(trust ? "role trust policy" : "resource-based policy",
      policies.resource.empty() ? "the resource has none" : said(PolicyKind::resource));
  if (across())
    add("accounts", "the resource is of account " + policies.resource_account + " and the caller of " +
                        (record_.principal.account.empty() ? "none" : record_.principal.account) +
                        ": both sides must allow");
  const Principal::Kind kind = record_.principal.kind;
  if (kind == Principal::Kind::service || kind == Principal::Kind::anonymous) {
    add("identity-based policies", "the caller has none of its own");
    return steps;
  }
  add("identity-based policies", kind == Principal::Kind::root ? "the root user has every permission"
                                 : policies.identity.empty()   ? "the caller has none"
                                                               : said(PolicyKind::identity));
  add("permissions boundary", policies.has_boundary ? said(PolicyKind::boundary) : "none is set");
  add("session policies", policies.has_session ? said(PolicyKind::session) : "none was passed");
  return steps;
}

std::string Explainer::statement_for(bool resource_policy) const {
  json::object statement{{"Effect", "Allow"}};
  if (resource_policy) {
    const Principal& principal = record_.principal;
    if (principal.kind == Principal::Kind::service)
      statement["Principal"] = json::object{{principal.id.starts_with("arn:") ? "Federated" : "Service", principal.id}};
    else if (principal.kind == Principal::Kind::anonymous)
      statement["Principal"] = "*";
    else
      statement["Principal"] = json::object{{"AWS", principal.role_arn.empty() ? principal.arn : principal.role_arn}};
  }
  statement["Action"] = record_.action;
  if (!record_.policies.resource_is_trust || !resource_policy) statement["Resource"] = record_.resource;
  return json::serialize(statement);
}

// Allows of this kind that one element alone keeps from applying.
void Explainer::add_near_misses(PolicyKind kind, json::array& remedies) const {
  for (const Traced& traced : traced_) {
    if (traced.kind != kind || traced.trace.effect != Effect::allow || traced.trace.applied) continue;
    const auto& elements = traced.trace.elements;
    if (std::ranges::count(elements, false, &policy::ElementTrace::matched) != 1) continue;
    const auto missed = std::ranges::find(elements, false, &policy::ElementTrace::matched);
    // An Allow of another action altogether is no near miss.
    if (missed->element == "Action" || missed->element == "NotAction") continue;
    std::string given;
    for (const std::string& value : missed->given) given += (given.empty() ? "" : ", ") + value;
    remedies.emplace_back(place_of(traced) + " would allow it if its " + missed->element + " covered " +
                          (given.empty() ? "a request without that key" : given));
  }
}

json::array Explainer::remedies() const {
  json::array remedies;
  if (record_.decision.allowed) return remedies;
  if (record_.decision.reason.find("VPC has no endpoint") != std::string::npos) {
    remedies.emplace_back("make a gateway endpoint for the service in the VPC that the request came out of");
    return remedies;
  }
  if (record_.decision.reason.find("no VPC endpoint policy") != std::string::npos) {
    add_near_misses(PolicyKind::endpoint, remedies);
    remedies.emplace_back("add to the policy of the VPC endpoint, which the request came through: " +
                          statement_for(true));
    return remedies;
  }
  if (record_.decision.explicit_deny) {
    for (const Traced& traced : traced_)
      if (traced.trace.applied && traced.trace.effect == Effect::deny && counts(traced.kind))
        remedies.emplace_back("remove or narrow " + place_of(traced) + ": a Deny wins over every Allow");
    for (const auto& [kind, attached] : order_)
      if (!attached->document)
        remedies.emplace_back("the " + std::string(kind_name(kind)) + " " + attached->name +
                              " cannot be read: put it anew");
    return remedies;
  }
  const std::string& reason = record_.decision.reason;
  const auto lacks = [&](std::string_view what) { return reason.find(what) != std::string::npos; };
  const std::string who = record_.principal.role_arn.empty() ? record_.principal.arn : record_.principal.role_arn;
  if (lacks("no identity-based policy")) {
    add_near_misses(PolicyKind::identity, remedies);
    remedies.emplace_back("give " + who + " a policy with " + statement_for(false));
    if (across())
      remedies.emplace_back("and " + record_.resource + " a resource-based policy with " + statement_for(true));
  } else if (lacks("no permissions boundary")) {
    add_near_misses(PolicyKind::boundary, remedies);
    remedies.emplace_back("add to the permissions boundary of " + who + ": " + statement_for(false));
  } else if (lacks("no session policy")) {
    add_near_misses(PolicyKind::session, remedies);
    remedies.emplace_back("ask for the session with a session policy that has " + statement_for(false) +
                          ", or with none");
  } else if (lacks("no service control policy")) {
    remedies.emplace_back("add to a service control policy of the account: " + statement_for(false));
  } else {
    add_near_misses(PolicyKind::resource, remedies);
    remedies.emplace_back(std::string("add to the ") +
                          (record_.policies.resource_is_trust ? "trust policy of " : "policy of ") + record_.resource +
                          ": " + statement_for(true));
  }
  return remedies;
}

json::object Explainer::explain() const {
  json::object keys;
  record_.keys.for_each(
      [&](std::string_view name, const policy::Keys::Values& values) { keys[name] = array_of(values.list()); });
  const Ask ask{.action = record_.action, .resource = record_.resource};
  json::object object{{"action", record_.action},
                      {"resource", record_.resource},
                      {"allowed", record_.decision.allowed},
                      {"explicit_deny", record_.decision.explicit_deny},
                      {"reason", record_.decision.reason}};
  if (!record_.decision.allowed)
    object["message"] = denial_message(record_.principal, ask, {false, record_.decision.reason});
  object["resource_account"] = record_.policies.resource_account;
  object["context"] = std::move(keys);
  object["steps"] = steps();
  object["policies"] = policies();
  object["remedies"] = remedies();
  return object;
}

}  // namespace

json::object explain_decision(const DecisionRecord& record) {
  json::object object{{"request_id", record.request_id}, {"time", iso8601(record.time)}};
  json::object principal{{"arn", record.principal.arn},
                         {"type", principal_kind(record.principal.kind)},
                         {"account", record.principal.account},
                         {"access_key_id", record.principal.access_key_id}};
  if (!record.principal.role_arn.empty()) principal["role"] = record.principal.role_arn;
  object["principal"] = std::move(principal);
  for (auto& [name, value] : Explainer(record).explain()) object[name] = std::move(value);
  return object;
}

std::string authorization_message(const DecisionRecord& record) {
  json::array matched;
  for (const policy::Match& match : record.decision.matches) {
    const policy::Statement& statement = match.policy->document->statements[match.statement];
    if (statement.effect != Effect::deny) continue;
    json::array actions;
    for (const policy::Pattern& action : statement.actions) actions.push_back(json::object{{"value", action.text()}});
    matched.push_back(json::object{{"statementId", statement.sid},
                                   {"effect", "DENY"},
                                   {"sourcePolicyId", match.policy->name},
                                   {"sourcePolicyType", kind_name(match.kind)},
                                   {"actions", json::object{{"items", std::move(actions)}}}});
  }
  json::array conditions;
  record.keys.for_each([&](std::string_view key, const policy::Keys::Values& values) {
    json::array items;
    for (const std::string& value : values.list()) items.push_back(json::object{{"value", value}});
    conditions.push_back(json::object{{"key", key}, {"values", json::object{{"items", std::move(items)}}}});
  });
  const json::object message{
      {"allowed", record.decision.allowed},
      {"explicitDeny", record.decision.explicit_deny},
      {"matchedStatements", json::object{{"items", std::move(matched)}}},
      {"failures", json::object{{"items", json::array()}}},
      {"context", json::object{{"principal", json::object{{"id", record.principal.id}, {"arn", record.principal.arn}}},
                               {"action", record.action},
                               {"resource", record.resource},
                               {"conditions", json::object{{"items", std::move(conditions)}}}}}};
  return json::serialize(message);
}

}  // namespace brume::iam

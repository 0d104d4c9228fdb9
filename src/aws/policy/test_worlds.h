// Test support: random small worlds of a caller, a request and policies. The alphabets are tiny, so that statements
// match often and every path of the decision is taken.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "aws/policy/evaluation.h"
#include "aws/policy/reference_evaluator.h"
#include "core/error.h"
#include "core/random.h"

namespace brume::policy::worlds {

namespace json = boost::json;
using Strings = std::vector<std::string>;

inline const Strings kActions = {"s3:GetObject", "s3:PutObject", "ec2:Run"};
inline const Strings kActionPatterns = {"*", "s3:*", "S3:get*", "s3:PutObject", "ec2:R?n", "s3:*Object", "sts:*"};
inline const Strings kResources = {"arn:aws:s3:::b/alice", "arn:aws:s3:::b/x:y", "arn:aws:ec2:eu:1:i/1", "*"};
inline const Strings kResourcePatterns = {"*",
                                          "arn:aws:s3:::b/*",
                                          "arn:aws:s3:::b/${aws:username}",
                                          "arn:aws:s3:::b/${k2, 'alice'}",
                                          "arn:aws:e*:eu:1:i/1",
                                          "arn:aws:ec2:*",
                                          "arn:aws:s*b/*",
                                          "arn:aws:s3:::?/*:?",
                                          "arn:aws:ec2:e?:1:i/*"};
inline const Strings kAccounts = {"111111111111", "222222222222"};
inline const Strings kPrincipals = {R"("*")",
                                    R"({"AWS":"111111111111"})",
                                    R"({"AWS":"arn:aws:iam::222222222222:root"})",
                                    R"({"AWS":["arn:aws:iam::111111111111:user/alice","111111111111"]})",
                                    R"({"AWS":"arn:aws:iam::111111111111:user/alice"})",
                                    R"({"AWS":"arn:aws:iam::111111111111:role/r"})",
                                    R"({"AWS":["arn:aws:iam::111111111111:role/r","111111111111"]})",
                                    R"({"AWS":"arn:aws:sts::111111111111:assumed-role/r/s"})",
                                    R"({"Service":"ecs.amazonaws.com"})"};
inline const Strings kKeys = {"k1", "k2", "aws:username"};
inline const Strings kValues = {"alice", "10",  "9.5", "true", "10.0.0.1", "2026-01-01", "", "arn:aws:iam::1:role/x:y",
                                "AB",    "QUI="};
// Every one of "IAM JSON policy elements: Condition operators".
inline const Strings kOperators = {"StringEquals",
                                   "StringNotEquals",
                                   "StringEqualsIgnoreCase",
                                   "StringNotEqualsIgnoreCase",
                                   "StringLike",
                                   "StringNotLike",
                                   "NumericEquals",
                                   "NumericNotEquals",
                                   "NumericLessThan",
                                   "NumericLessThanEquals",
                                   "NumericGreaterThan",
                                   "NumericGreaterThanEquals",
                                   "DateEquals",
                                   "DateNotEquals",
                                   "DateLessThan",
                                   "DateLessThanEquals",
                                   "DateGreaterThan",
                                   "DateGreaterThanEquals",
                                   "Bool",
                                   "BinaryEquals",
                                   "IpAddress",
                                   "NotIpAddress",
                                   "ArnEquals",
                                   "ArnLike",
                                   "ArnNotEquals",
                                   "ArnNotLike",
                                   "Null"};

inline const std::string& pick(Random& random, const Strings& list) { return list[random.below(list.size())]; }

// A value that fits the operator, as policies hold only such.
inline std::string fitting(Random& random, const std::string& op) {
  if (op.starts_with("Numeric")) return pick(random, {"10", "9.5", "3"});
  if (op == "Bool" || op == "Null") return pick(random, {"true", "false"});
  if (op.ends_with("IpAddress")) return pick(random, {"10.0.0.0/8", "10.0.0.1", "192.168.0.0/16"});
  if (op.starts_with("Date")) return pick(random, {"2025-06-01T00:00:00Z", "2026-01-01", "1767225600"});
  if (op == "BinaryEquals") return pick(random, {"QUI=", "YQ=="});
  if (op.starts_with("Arn"))
    return pick(random, {"arn:aws:iam::*:role/*", "arn:aws:*:role/x:y", "arn:aws:iam::1:role/x?y"});
  return pick(random, {"alice", "a*", "AB", "ab", "*", "${aws:username}", "${k1}*", "${none, 'alice'}", "?0", ""});
}

inline json::value random_condition(Random& random) {
  json::object block;
  for (std::uint64_t i = 0; i < 1 + random.below(2); ++i) {
    const std::string& op = pick(random, kOperators);
    json::array values;
    for (std::uint64_t n = 0; n < 1 + random.below(2); ++n) values.push_back(json::string(fitting(random, op)));
    std::string name = pick(random, {"", "", "ForAllValues:", "ForAnyValue:"}) + op;
    if (op != "Null" && random.below(4) == 0) name += "IfExists";
    block[name] = json::object{{pick(random, kKeys), values}};
  }
  return block;
}

inline json::value random_document(Random& random, Grammar grammar) {
  json::array statements;
  for (std::uint64_t i = 0; i < 1 + random.below(3); ++i) {
    json::object statement{{"Effect", random.below(4) == 0 ? "Deny" : "Allow"}};
    const bool negate_action = grammar != Grammar::trust && random.below(6) == 0;
    json::array actions;
    for (std::uint64_t n = 0; n < 1 + random.below(2); ++n)
      actions.push_back(json::string(grammar == Grammar::trust ? "sts:*" : pick(random, kActionPatterns)));
    statement[negate_action ? "NotAction" : "Action"] = actions;
    if (grammar != Grammar::trust)
      statement[random.below(6) == 0 ? "NotResource" : "Resource"] = json::string(pick(random, kResourcePatterns));
    if (grammar != Grammar::identity) {
      const bool negate = grammar == Grammar::resource && random.below(4) == 0;
      statement[negate ? "NotPrincipal" : "Principal"] = json::parse(pick(random, kPrincipals));
    }
    if (random.below(3) == 0) statement["Condition"] = random_condition(random);
    statements.push_back(statement);
  }
  return json::object{{"Version", "2012-10-17"}, {"Statement", statements}};
}

inline reference::Caller random_caller(Random& random) {
  const std::string account = pick(random, kAccounts);
  switch (random.below(6)) {
    case 0:
      return {"root", account, "arn:aws:iam::" + account + ":root", "", account};
    case 1:
      return {"service", "", "", "", "ecs.amazonaws.com"};
    case 2:
      return {"anonymous", "", "", "", ""};
    case 3:
      return {"session", account, "arn:aws:sts::" + account + ":assumed-role/r/s",
              "arn:aws:iam::" + account + ":role/r", "AROAROLEROLEROLE:s"};
    default:
      return {"user", account, "arn:aws:iam::" + account + ":user/alice", "", "AIDAALICEALICE00"};
  }
}

inline std::vector<json::value> random_documents(Random& random, Grammar grammar, std::uint64_t most) {
  std::vector<json::value> documents;
  for (std::uint64_t n = random.below(most + 1); n > 0; --n) documents.push_back(random_document(random, grammar));
  return documents;
}

inline reference::World random_world(Random& random) {
  reference::World world;
  world.caller = random_caller(random);
  world.is_trust = random.below(5) == 0;
  world.action = world.is_trust ? "sts:AssumeRole" : pick(random, kActions);
  world.resource = pick(random, kResources);
  for (const std::string& key : kKeys)
    for (std::uint64_t n = random.below(3); n > 0; --n) world.keys[key].push_back(pick(random, kValues));
  world.identity = random_documents(random, Grammar::identity, 3);
  if (random.below(3) == 0) {
    world.has_boundary = true;
    world.boundary = random_documents(random, Grammar::identity, 1);
  }
  if (random.below(3) == 0) {
    world.has_session = true;
    world.session = random_documents(random, Grammar::identity, 2);
  }
  world.resource_policies = random_documents(random, world.is_trust ? Grammar::trust : Grammar::resource, 1);
  if (random.below(2) == 0) world.resource_account = pick(random, kAccounts);
  if (random.below(5) == 0)
    for (int level = 0; level < 2; ++level)
      world.service_control.push_back(random_documents(random, Grammar::identity, 2));
  return world;
}

inline std::vector<Attached> parse_all(const std::vector<json::value>& documents, Grammar grammar) {
  std::vector<Attached> list;
  for (const json::value& value : documents) {
    auto document = parse_document(json::serialize(value), grammar);
    BRUME_CHECK(document.has_value());
    list.push_back({"p", std::make_shared<const Document>(std::move(*document))});
  }
  return list;
}

inline Decision by_engine(const reference::World& world) {
  const std::map<std::string, Principal::Kind> kinds = {{"root", Principal::Kind::root},
                                                        {"user", Principal::Kind::user},
                                                        {"session", Principal::Kind::role_session},
                                                        {"service", Principal::Kind::service},
                                                        {"anonymous", Principal::Kind::anonymous}};
  Principal principal;
  principal.kind = kinds.at(world.caller.kind);
  principal.account = world.caller.account;
  principal.arn = world.caller.arn;
  principal.role_arn = world.caller.role_arn;
  principal.id = world.caller.id;
  Policies policies;
  policies.identity = parse_all(world.identity, Grammar::identity);
  policies.boundary = parse_all(world.boundary, Grammar::identity);
  policies.session = parse_all(world.session, Grammar::identity);
  policies.resource = parse_all(world.resource_policies, world.is_trust ? Grammar::trust : Grammar::resource);
  for (const auto& level : world.service_control)
    policies.service_control.push_back(parse_all(level, Grammar::identity));
  policies.has_boundary = world.has_boundary;
  policies.has_session = world.has_session;
  policies.resource_is_trust = world.is_trust;
  policies.resource_account = world.resource_account;
  Keys keys;
  for (const auto& [name, values] : world.keys)
    for (const std::string& value : values) keys.add(name, value);
  return decide({principal, world.action, world.resource, keys}, policies);
}

}  // namespace brume::policy::worlds

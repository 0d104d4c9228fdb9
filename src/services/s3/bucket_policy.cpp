#include "services/s3/bucket_policy.h"

#include <algorithm>
#include <boost/json.hpp>
#include <vector>

#include "aws/policy/document.h"
#include "aws/policy/json_tree.h"
#include "core/error.h"
#include "core/scope.h"
#include "core/text.h"
#include "services/s3/acl.h"

namespace brume::s3 {
namespace {

namespace json = boost::json;

AwsError malformed_policy(const std::string& message) { return AwsError("MalformedPolicy", message); }

bool covers(const policy::Pattern& resource, const std::string& arn) {
  const std::string& text = resource.text();
  if (text.starts_with(arn) && (text.size() == arn.size() || text[arn.size()] == '/')) return true;
  const policy::Keys none;
  return resource.matches(arn, none) || resource.matches(arn + "/key", none);
}

const policy::Node* find_ignoring_case(const policy::Node& object, std::string_view name) {
  const auto found = std::ranges::find_if(
      object.members, [&](const policy::Member& member) { return equals_ignoring_case(member.name, name); });
  return found == object.members.end() ? nullptr : &found->value;
}

bool any_string(const policy::Node& node, const auto& matches) {
  if (node.is_string()) return matches(node.text);
  return std::ranges::any_of(node.items, [&](const policy::Node& item) { return any_string(item, matches); });
}

bool is_everyone(const policy::Node& statement) {
  const policy::Node* principal = statement.find("Principal");
  if (principal == nullptr) return true;  // NotPrincipal: everyone else
  const auto star = [](const std::string& text) { return text == "*"; };
  if (!principal->is_object()) return any_string(*principal, star);
  const policy::Node* aws = principal->find("AWS");
  return aws != nullptr && any_string(*aws, star);
}

// A condition that keeps a grant to everyone from being public: a fixed value of one of these keys.
bool narrows(const policy::Member& operator_and_keys) {
  static constexpr std::string_view kOperators[] = {
      "stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "ipaddress"};
  static constexpr std::string_view kKeys[] = {"aws:sourceip",
                                               "aws:sourcearn",
                                               "aws:sourcevpc",
                                               "aws:sourcevpce",
                                               "aws:sourceowner",
                                               "aws:sourceaccount",
                                               "aws:principalorgid",
                                               "aws:principalorgpaths",
                                               "aws:principalaccount",
                                               "aws:principalarn",
                                               "aws:userid",
                                               "s3:x-amz-server-side-encryption-aws-kms-key-id",
                                               "s3:dataaccesspointarn",
                                               "s3:dataaccesspointaccount"};
  if (std::ranges::find(kOperators, to_lower(operator_and_keys.name)) == std::end(kOperators)) return false;
  return std::ranges::any_of(operator_and_keys.value.members, [](const policy::Member& key) {
    if (std::ranges::find(kKeys, to_lower(key.name)) == std::end(kKeys)) return false;
    return !any_string(key.value, [](const std::string& value) {
      return value.find('*') != std::string::npos || value.ends_with("/0");
    });
  });
}

bool is_public_statement(const policy::Node& statement) {
  const policy::Node* effect = statement.find("Effect");
  if (effect == nullptr || effect->text != "Allow" || !is_everyone(statement)) return false;
  const policy::Node* condition = find_ignoring_case(statement, "Condition");
  return condition == nullptr || std::ranges::none_of(condition->members, narrows);
}

json::object statement(const char* sid, const char* effect, std::initializer_list<const char*> actions,
                       std::vector<std::string> resources) {
  json::object result;
  result["Sid"] = sid;
  result["Effect"] = effect;
  result["Principal"] = "*";
  json::array& list = result["Action"].emplace_array();
  for (const char* action : actions) list.emplace_back(action);
  json::array& covered = result["Resource"].emplace_array();
  for (const std::string& resource : resources) covered.emplace_back(resource);
  return result;
}

// What public ACLs grant, as statements ("Mapping of ACL permissions and access policy permissions").
std::vector<json::object> acl_statements(const BucketRecord& bucket, std::string_view key,
                                         std::string_view object_acl) {
  std::vector<json::object> statements;
  if (bucket.ownership == kOwnerEnforced || bucket.public_access_block.get().ignore_public_acls.get())
    return statements;
  const std::string arn = bucket_arn(bucket);
  if (is_public_acl(bucket.acl)) {
    statements.push_back(statement("BucketAclRead", "Allow",
                                   {"s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"}, {arn}));
  }
  if (bucket.acl == "public-read-write") {
    statements.push_back(statement("BucketAclWrite", "Allow", {"s3:PutObject", "s3:DeleteObject"}, {arn + "/*"}));
  }
  if (!key.empty() && is_public_acl(object_acl)) {
    statements.push_back(
        statement("ObjectAclRead", "Allow", {"s3:GetObject", "s3:GetObjectVersion"}, {arn + "/" + std::string(key)}));
  }
  return statements;
}

// RestrictPublicBuckets: a public policy reaches "only AWS service principals and authorized users within the bucket
// owner's account".
json::object restriction(const BucketRecord& bucket) {
  const std::string arn = bucket_arn(bucket);
  json::object deny = statement("RestrictPublicBuckets", "Deny", {"s3:*"}, {arn, arn + "/*"});
  deny["Condition"] = {{"StringNotEquals", {{"aws:PrincipalAccount", bucket.account}}},
                       {"BoolIfExists", {{"aws:PrincipalIsAWSService", "false"}}}};
  return deny;
}

}  // namespace

std::string bucket_arn(const BucketRecord& bucket) {
  return "arn:" + std::string(partition_of(bucket.region)) + ":s3:::" + bucket.name;
}

void validate_bucket_policy(const std::string& document, const BucketRecord& bucket) {
  if (document.size() > 20 * 1024) throw malformed_policy("Policy exceeds the maximum allowed document size.");
  const auto parsed = policy::parse_document(document, policy::Grammar::resource);
  if (!parsed) throw malformed_policy(parsed.error().message);
  for (const policy::Statement& each : parsed->statements) {
    for (const policy::Pattern& action : each.actions) {
      if (action.text() != "*" && !to_lower(action.text()).starts_with("s3:")) {
        throw malformed_policy("Policy has invalid action");
      }
    }
    for (const policy::Pattern& resource : each.resources) {
      if (!covers(resource, bucket_arn(bucket))) throw malformed_policy("Policy has invalid resource");
    }
  }
}

bool is_public_policy(const std::string& document) {
  std::string problem;
  const std::optional<policy::Node> root = policy::read_json(document, policy::kMaxDepth, problem);
  if (!root) return false;
  const policy::Node* statements = root->find("Statement");
  if (statements == nullptr) return false;
  if (statements->is_object()) return is_public_statement(*statements);
  return std::ranges::any_of(statements->items, is_public_statement);
}

std::string effective_policy(const BucketRecord& bucket, std::string_view key, std::string_view object_acl) {
  std::vector<json::object> added = acl_statements(bucket, key, object_acl);
  const bool restricted = bucket.public_access_block.get().restrict_public_buckets.get();
  if (restricted && (!added.empty() || (!bucket.policy.empty() && is_public_policy(bucket.policy)))) {
    added.push_back(restriction(bucket));
  }
  if (added.empty()) return bucket.policy;
  json::object document;
  if (!bucket.policy.empty()) document = json::parse(bucket.policy).as_object();
  if (document.empty()) document["Version"] = "2012-10-17";
  json::value& statements = document["Statement"];
  if (!statements.is_array()) {
    json::array list;
    if (statements.is_object()) list.push_back(std::move(statements));
    statements = std::move(list);
  }
  for (json::object& each : added) statements.as_array().push_back(std::move(each));
  return json::serialize(document);
}

}  // namespace brume::s3

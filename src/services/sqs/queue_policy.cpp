#include "services/sqs/queue_policy.h"

#include <algorithm>
#include <boost/json.hpp>

#include "aws/policy/document.h"
#include "core/arn_view.h"
#include "core/text.h"
#include "services/sqs/sqs.h"

namespace brume::sqs {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostActions = 7;  // "a maximum of seven actions per statement"

// "Cross-account permissions don't apply" to the other actions.
constexpr std::string_view kShared[] = {
    "*",           "ChangeMessageVisibility",    "DeleteMessage", "GetQueueAttributes",
    "GetQueueUrl", "ListDeadLetterSourceQueues", "PurgeQueue",    "ReceiveMessage",
    "SendMessage"};

json::array statements_of(const json::object& document) {
  const json::value* statements = document.if_contains("Statement");
  if (statements == nullptr) return {};
  if (statements->is_array()) return statements->as_array();
  return json::array{*statements};
}

bool is_labelled(const json::value& statement, const std::string& label) {
  const json::value* sid = statement.is_object() ? statement.as_object().if_contains("Sid") : nullptr;
  return sid != nullptr && sid->is_string() && sid->as_string() == label;
}

json::value one_or_many(const std::vector<std::string>& texts) {
  if (texts.size() == 1) return json::value(texts.front());
  return json::value_from(texts);
}

bool is_account(const std::string& text) {
  return text.size() == 12 && text.find_first_not_of("0123456789") == std::string::npos;
}

void check(const NewPermission& added) {
  if (added.actions.empty()) throw missing_parameter("Actions");
  if (added.accounts.empty() || !std::ranges::all_of(added.accounts, is_account))
    throw invalid_parameter("[" + join(added.accounts, ", ") + "]", "PrincipalId", "Unable to verify.");
  for (const std::string& action : added.actions)
    if (std::ranges::find(kShared, action) == std::end(kShared))
      throw invalid_parameter("SQS:" + action, "ActionName", "Only the queue owner is allowed to invoke this action.");
  if (added.actions.size() > kMostActions)
    throw over_limit(std::to_string(added.actions.size()) + " Actions were found, maximum allowed is 7.");
}

}  // namespace

void check_policy(const std::string& document) {
  const auto parsed = policy::parse_document(document, policy::Grammar::own_resource);
  const auto is_of_sqs = [](const policy::Pattern& action) {
    return action.text() == "*" || to_lower(action.text()).starts_with("sqs:");
  };
  if (!parsed || !std::ranges::all_of(parsed->statements, [&](const policy::Statement& statement) {
        return std::ranges::all_of(statement.actions, is_of_sqs);
      }))
    throw invalid_attribute_value("Invalid value for the parameter Policy.");
}

std::string add_permission_to(const std::string& document, const std::string& queue_arn, const NewPermission& added) {
  check(added);
  json::object policy{{"Version", "2012-10-17"}, {"Id", queue_arn + "/SQSDefaultPolicy"}};
  if (!document.empty()) policy = json::parse(document).as_object();
  json::array statements = statements_of(policy);
  if (std::ranges::any_of(statements, [&](const json::value& each) { return is_labelled(each, added.label); }))
    throw invalid_parameter(added.label, "Label", "Already exists.");
  const std::string partition(view_arn(queue_arn).value_or(ArnView{"aws", {}, {}, {}, {}}).partition);
  std::vector<std::string> principals, actions;
  for (const std::string& account : added.accounts)
    principals.push_back("arn:" + partition + ":iam::" + account + ":root");
  for (const std::string& action : added.actions) actions.push_back("SQS:" + action);
  statements.push_back(json::object{{"Sid", added.label},
                                    {"Effect", "Allow"},
                                    {"Principal", json::object{{"AWS", one_or_many(principals)}}},
                                    {"Action", one_or_many(actions)},
                                    {"Resource", queue_arn}});
  policy["Statement"] = std::move(statements);
  return json::serialize(policy);
}

std::string remove_permission_from(const std::string& document, const std::string& label) {
  json::object policy;
  if (!document.empty()) policy = json::parse(document).as_object();
  json::array kept;
  const json::array statements = statements_of(policy);
  for (const json::value& each : statements)
    if (!is_labelled(each, label)) kept.push_back(each);
  if (kept.size() == statements.size()) throw invalid_parameter(label, "Label", "can't find label on existing policy.");
  if (kept.empty()) return {};
  policy["Statement"] = std::move(kept);
  return json::serialize(policy);
}

}  // namespace brume::sqs

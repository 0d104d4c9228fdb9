#include "services/sts/session_details.h"

#include <utility>

#include "aws/policy/document.h"
#include "core/text.h"

namespace brume::sts {
namespace {

// "The plaintext that you use for both inline and managed session policies can't exceed 2,048 characters."
constexpr std::size_t kSessionPolicySize = 2048;

AwsError invalid_parameter(const std::string& message) { return {"InvalidParameterValue", message}; }

}  // namespace

void require(const Sts& sts, const RequestContext& request, const Ask& ask) {
  const Verdict verdict = sts.authorizer.authorize(request, ask);
  if (!verdict.allowed) throw AwsError("AccessDenied", denial_message(request.principal, ask, verdict), 403);
}

void add_policies(const Sts& sts, const opt<std::string>& policy, const std::vector<PolicyDescriptorType>& arns,
                  const std::string& account, SessionRecord& session) {
  if (policy) {
    auto document = policy::parse_document(*policy, policy::Grammar::identity);
    if (!document) throw malformed_policy_document_exception(document.error().message);
    session.session_policy = *policy;
  }
  // "You can provide up to 10 managed policy ARNs."
  if (arns.size() > 10) throw AwsError("ValidationError", "The number of managed session policies must not exceed 10.");
  std::size_t size = session.session_policy.size();
  for (const PolicyDescriptorType& descriptor : arns) {
    const std::string& arn = descriptor.arn.get();
    if (!sts.identities.has_policy(account, arn))
      throw AwsError("ValidationError", "The specified policy " + arn + " does not exist or is not attachable.");
    session.session_policy_arns.push_back(arn);
    size += arn.size();
  }
  if (size > kSessionPolicySize)
    throw packed_policy_too_large_exception("Packed size of session policies and tags consumes " +
                                            std::to_string(size * 100 / kSessionPolicySize) +
                                            "% of the allotted space.");
}

Tags tags_of(const std::vector<Tag>& list) {
  Tags tags = tags_from(list);
  for (auto tag = tags.begin(); tag != tags.end(); ++tag)
    for (auto other = tags.begin(); other != tag; ++other)
      if (equals_ignoring_case(other->first, tag->first)) tags.erase(tags.begin(), tags.end());
  if (tags.size() != list.size())
    throw invalid_parameter("Duplicate tag keys found. Please note that Tag keys are case insensitive.");
  return tags;
}

void add_tag_keys(const Tags& tags, const std::vector<std::string>& transitive, Ask& ask) {
  for (const auto& [key, value] : tags) {
    ask.keys.emplace("aws:RequestTag/" + key, value);
    ask.keys.emplace("aws:TagKeys", key);
  }
  for (const std::string& key : transitive) ask.keys.emplace("sts:TransitiveTagKeys", key);
}

void add_tags(const Sts& sts, const Principal& caller, const Tags& given, std::vector<std::string> transitive,
              SessionRecord& session) {
  if (const std::string problem = tag_problem(given); !problem.empty()) throw invalid_parameter(problem);
  session.session_tags = given;
  session.transitive_tag_keys = std::move(transitive);
  for (const std::string& key : session.transitive_tag_keys)
    if (!given.contains(key))
      throw invalid_parameter("The transitive tag key " + key + " is not among the session's tags.");
  const SessionRecord* before = sts.sessions.find({caller.account, ""}, caller.access_key_id);
  if (before == nullptr) return;
  for (const std::string& key : before->transitive_tag_keys) {
    const auto inherited = before->session_tags.find(key);
    if (inherited == before->session_tags.end()) continue;
    if (given.contains(key))
      throw invalid_parameter(
          "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from "
          "the calling session.");
    session.session_tags[key] = inherited->second;
    session.transitive_tag_keys.push_back(key);
  }
}

opt<std::int64_t> packed_size(const SessionRecord& session) {
  std::size_t size = session.session_policy.size();
  for (const std::string& arn : session.session_policy_arns) size += arn.size();
  for (const auto& [key, value] : session.session_tags) size += key.size() + value.size();
  if (size == 0) return kNothing;
  return static_cast<std::int64_t>((size * 100 + kSessionPolicySize - 1) / kSessionPolicySize);
}

}  // namespace brume::sts

#include "app/adapters/flow_log_destinations.h"

#include "app/adapters/service_delivery.h"
#include "gen/s3.h"

namespace brume::app {
namespace {

constexpr const char* kFlowLogs = "vpc-flow-logs.amazonaws.com";
constexpr const char* kDelivery = "delivery.logs.amazonaws.com";

}  // namespace

std::string FlowLogDestinations::role_problem(const Scope& scope, const std::string& role) const {
  std::string why_not;
  const auto principal = roles_.assume(role, kFlowLogs, "flow-logs", why_not);
  if (!principal) return why_not;
  return principal->account == scope.account ? "" : "the role is another account's";
}

std::string FlowLogDestinations::put_lines(const Scope& scope, const std::string& role, const std::string& group,
                                           const std::string& stream, const std::vector<Line>& lines) {
  std::string why_not;
  const auto principal = roles_.assume(role, kFlowLogs, "flow-logs", why_not);
  if (!principal) return why_not;
  RequestContext context;
  context.scope = scope;
  context.principal = *principal;
  context.now = logs_.needs.clock.now();
  const std::string arn = logs::group_arn(scope, group), stream_arn = arn + ":log-stream:" + stream;
  const auto may = [&](const char* action, const std::string& resource) {
    return denial(authorizer_, context, {.action = action, .resource = resource, .keys = {}});
  };
  std::string problem;
  if (logs_.groups.find(scope, group) == nullptr) problem = may("logs:CreateLogGroup", arn + ":*");
  if (problem.empty() && logs_.streams.find(scope, logs::stream_key(group, stream)) == nullptr)
    problem = may("logs:CreateLogStream", stream_arn);
  if (problem.empty()) problem = may("logs:PutLogEvents", stream_arn);
  if (!problem.empty()) return problem;
  std::vector<logs::NewEvent> events;
  for (const Line& line : lines) events.push_back({line.at, line.text});
  return put_service_lines(logs_, store_, scope, group, stream, events);
}

void FlowLogDestinations::put_object(const Scope& scope, const std::string& bucket, const std::string& key,
                                     std::string text, std::function<void(std::string error)> done) {
  const s3::BucketRecord* record = s3_.find_bucket(bucket);
  if (record == nullptr) return done("there is no bucket " + bucket);
  const RequestContext context = service_context(s3_, scope, *record, kDelivery);
  const Ask ask{.action = "s3:PutObject",
                .resource = bucket_arn(*record) + "/" + key,
                .keys = {{"aws:SourceAccount", scope.account},
                         {"aws:SourceArn", make_arn(scope, "logs", "*")},
                         {"s3:x-amz-acl", "bucket-owner-full-control"}}};
  const Verdict verdict = authorizer_.authorize(context, ask);
  // "If the user creating the flow log owns the bucket, we automatically attach a policy to it": the owner's bucket
  // needs no policy of its own here, and may still deny.
  const bool owner = record->account == scope.account && !verdict.reason.starts_with("with an explicit deny");
  if (!verdict.allowed && !owner) return done(denial_message(context.principal, ask, verdict));
  s3::PutObjectInput input;
  input.key = key;
  input.body = Body::of(std::move(text));
  input.content_type = "application/octet-stream";
  put_service_object(s3_, context, *record, std::move(input),
                     [done](const AwsError* problem) { done(problem == nullptr ? std::string() : problem->message); });
}

}  // namespace brume::app

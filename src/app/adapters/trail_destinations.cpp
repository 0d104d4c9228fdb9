#include "app/adapters/trail_destinations.h"

#include "app/adapters/service_delivery.h"
#include "gen/s3.h"

namespace brume::app {
namespace {

constexpr const char* kCloudTrail = "cloudtrail.amazonaws.com";

// "arn:aws:logs:eu-west-1:111122223333:log-group:trail:*" without its end.
std::string group_name(const std::string& group_arn) {
  const std::optional<Arn> arn = parse_arn(group_arn);
  std::string name = arn ? arn->resource.substr(arn->resource.find(':') + 1) : std::string();
  if (name.ends_with(":*")) name.resize(name.size() - 2);
  return name;
}

cloudtrail::Deliveries::Problem refusal(std::string why) {
  if (why.empty()) return {};
  return {"AccessDenied", std::move(why)};
}

}  // namespace

// "Amazon S3 bucket policy for CloudTrail": the bucket's ACL, and objects whose owner gets full control.
cloudtrail::Deliveries::Problem TrailDestinations::bucket_problem(const Scope& scope, const std::string& trail_arn,
                                                                  const std::string& bucket,
                                                                  const std::string& prefix) const {
  const s3::BucketRecord* record = s3_.find_bucket(bucket);
  if (record == nullptr) return {"NoSuchBucket", "There is no bucket " + bucket + "."};
  const RequestContext context = service_context(s3_, scope, *record, kCloudTrail);
  const std::multimap<std::string, std::string> caller{{"aws:SourceArn", trail_arn},
                                                       {"aws:SourceAccount", scope.account}};
  const Ask acl{.action = "s3:GetBucketAcl", .resource = bucket_arn(*record), .keys = caller};
  if (Problem problem = refusal(denial(authorizer_, context, acl))) return problem;
  auto keys = caller;
  keys.emplace("s3:x-amz-acl", "bucket-owner-full-control");
  const std::string probe = bucket_arn(*record) + "/" + prefix + "CloudTrail/probe";
  return refusal(denial(authorizer_, context, {.action = "s3:PutObject", .resource = probe, .keys = keys}));
}

void TrailDestinations::put_object(const Scope& scope, const std::string& trail_arn, Object object,
                                   std::function<void(const Problem&)> done) {
  const s3::BucketRecord* record = s3_.find_bucket(object.bucket);
  if (record == nullptr) return done({"NoSuchBucket", "There is no bucket " + object.bucket + "."});
  const RequestContext context = service_context(s3_, scope, *record, kCloudTrail);
  const Ask ask{.action = "s3:PutObject",
                .resource = bucket_arn(*record) + "/" + object.key,
                .keys = {{"aws:SourceArn", trail_arn},
                         {"aws:SourceAccount", scope.account},
                         {"s3:x-amz-acl", "bucket-owner-full-control"}}};
  if (const Problem problem = refusal(denial(authorizer_, context, ask))) return done(problem);
  s3::PutObjectInput input;
  input.key = object.key;
  input.body = Body::of(std::move(object.bytes));
  input.content_type = object.content_type;
  if (!object.content_encoding.empty()) input.content_encoding = object.content_encoding;
  auto& metadata = input.metadata.emplace();
  for (auto& [name, value] : object.metadata) metadata[name] = value;
  put_service_object(s3_, context, *record, std::move(input), [done](const AwsError* problem) {
    done(problem == nullptr ? Problem() : Problem{problem->code, problem->message});
  });
}

cloudtrail::Deliveries::Problem TrailDestinations::as_role(const Scope& scope, const std::string& role,
                                                           const std::string& group_arn,
                                                           const std::string& stream) const {
  const std::optional<Arn> arn = parse_arn(group_arn);
  const std::string name = group_name(group_arn);
  if (!arn || arn->account != scope.account || logs_.groups.find({arn->account, arn->region}, name) == nullptr)
    return {"ResourceNotFoundException", "The specified log group does not exist."};
  std::string why_not;
  const std::optional<Principal> principal = roles_.assume(role, kCloudTrail, "CloudTrail", why_not);
  if (!principal) return {"AccessDenied", why_not};
  RequestContext context;
  context.scope = {arn->account, arn->region};
  context.principal = *principal;
  context.now = logs_.needs.clock.now();
  const std::string resource = logs::group_arn(context.scope, name) + ":log-stream:" + stream;
  for (const char* action : {"logs:CreateLogStream", "logs:PutLogEvents"})
    if (Problem problem = refusal(denial(authorizer_, context, {.action = action, .resource = resource, .keys = {}})))
      return problem;
  return {};
}

cloudtrail::Deliveries::Problem TrailDestinations::group_problem(const Scope& scope, const std::string& role,
                                                                 const std::string& group_arn) const {
  return as_role(scope, role, group_arn, scope.account + "_CloudTrail_" + scope.region);
}

cloudtrail::Deliveries::Problem TrailDestinations::put_lines(const Scope& scope, const std::string& role,
                                                             const std::string& group_arn, const std::string& stream,
                                                             const std::vector<Line>& lines) {
  if (Problem problem = as_role(scope, role, group_arn, stream)) return problem;
  const Scope group_scope{scope.account, parse_arn(group_arn)->region};
  const std::string name = group_name(group_arn);
  std::vector<logs::NewEvent> events;
  for (const Line& line : lines) events.push_back({line.at, line.text});
  std::string problem = put_service_lines(logs_, store_, group_scope, name, stream, events);
  if (problem.empty()) return {};
  return {"InternalError", std::move(problem)};
}

}  // namespace brume::app

// Trails: made, described, changed, started and stopped, tagged.
#include <algorithm>

#include "services/cloudtrail/cloudtrail.h"
#include "store/erasures.h"

namespace brume::cloudtrail {
namespace {

constexpr std::size_t kMostTrails = 5;  // a region ("Quotas in AWS CloudTrail")
constexpr std::size_t kPage = 1000;

// "Requirements for trail names": 3 to 128 letters, digits and ._- ; begins and ends with a letter or digit; no two
// marks in a row; no IP address.
void check_name(const std::string& name) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  const auto is_mark = [](char c) { return c == '.' || c == '_' || c == '-'; };
  if (name.size() < 3)
    throw invalid_trail_name_exception(
        "Trail name too short. Minimum allowed length: 3 characters. Specified name length: " +
        std::to_string(name.size()) + " characters.");
  if (name.size() > 128)
    throw invalid_trail_name_exception(
        "Trail name too long. Maximum allowed length: 128 characters. Specified name length: " +
        std::to_string(name.size()) + " characters.");
  if (!is_plain(name.front())) throw invalid_trail_name_exception("Trail name must starts with a letter or number.");
  if (!is_plain(name.back())) throw invalid_trail_name_exception("Trail name must ends with a letter or number.");
  bool after_mark = false, only_numbers = true;
  for (const char c : name) {
    if (!is_plain(c) && !is_mark(c))
      throw invalid_trail_name_exception(
          "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods (.), hyphens (-), "
          "and underscores (_).");
    if (is_mark(c) && after_mark)
      throw invalid_trail_name_exception("Trail name cannot have two adjacent periods, hyphens or underscores.");
    after_mark = is_mark(c);
    only_numbers = only_numbers && (c == '.' || (c >= '0' && c <= '9'));
  }
  if (only_numbers && std::ranges::count(name, '.') == 3)
    throw invalid_trail_name_exception("Trail name cannot be in IP address format.");
}

// A trail may be named by its ARN as well.
void check_name_or_arn(const std::string& name) {
  if (!name.starts_with("arn:")) check_name(name);
}

// What AWS has of trails and Brume does not serve.
template <class Input>
void refuse_unserved(const Input& input, const char* operation) {
  const auto refuse = [&](const char* member) {
    throw unsupported_operation_exception(std::string("Brume does not serve ") + member +
                                          " of cloudtrail:" + operation + ".");
  };
  // There are no topics here, and this is what AWS says of one that does not exist.
  if (!input.sns_topic_name.value_or("").empty())
    throw insufficient_sns_topic_policy_exception("SNS Topic does not exist or the topic policy is incorrect!");
  if (!input.kms_key_id.value_or("").empty()) refuse("KmsKeyId");
  if (input.is_organization_trail.value_or(false)) refuse("IsOrganizationTrail");
}

void check_bucket(const Cloudtrail& cloudtrail, const TrailRecord& trail) {
  if (trail.prefix.size() > 200) throw invalid_s3_prefix_exception("S3 prefix is longer than maximum length: 200");
  const Deliveries::Problem problem = cloudtrail.needs.deliveries.bucket_problem(
      {trail.account, trail.home_region}, trail.arn, trail.bucket, object_prefix(trail));
  if (problem.code == "NoSuchBucket")
    throw s3_bucket_does_not_exist_exception("S3 bucket " + trail.bucket + " does not exist!");
  if (problem)
    throw insufficient_s3_bucket_policy_exception("Incorrect S3 bucket policy is detected for bucket: " + trail.bucket);
}

void check_group(const Cloudtrail& cloudtrail, const TrailRecord& trail) {
  if (trail.group_arn.empty() != trail.role_arn.empty())
    throw invalid_parameter_combination_exception(
        "You must specify both CloudWatchLogsLogGroupArn and CloudWatchLogsRoleArn, or neither of them.");
  if (trail.group_arn.empty()) return;
  const std::optional<Arn> arn = parse_arn(trail.group_arn);
  if (!arn || arn->service != "logs" || !arn->resource.starts_with("log-group:") || !trail.group_arn.ends_with(":*"))
    throw invalid_cloud_watch_logs_log_group_arn_exception(
        "CloudTrail cannot validate the specified log group ARN: it must end with \":*\".");
  const Deliveries::Problem problem =
      cloudtrail.needs.deliveries.group_problem({trail.account, trail.home_region}, trail.role_arn, trail.group_arn);
  if (problem.code == "ResourceNotFoundException")
    throw invalid_cloud_watch_logs_log_group_arn_exception("The specified log group does not exist: " +
                                                           trail.group_arn);
  if (problem)
    throw invalid_cloud_watch_logs_role_arn_exception(
        "Access denied. Verify in IAM that the role has adequate permissions: " + problem.message);
}

void check_scope(const TrailRecord& trail) {
  if (trail.multi_region && !trail.include_global_events)
    throw invalid_parameter_combination_exception("Multi-Region trail must include global service events.");
}

Tags checked_tags(const Tags& tags) {
  if (std::string problem = tag_problem(tags); !problem.empty()) throw invalid_tag_parameter_exception(problem);
  return tags;
}

// The members that Create, Update and Get have in common.
template <class Output>
Output describe(const TrailRecord& trail) {
  Output output;
  output.name = trail.name;
  output.s3_bucket_name = trail.bucket;
  if (!trail.prefix.empty()) output.s3_key_prefix = trail.prefix;
  output.include_global_service_events = trail.include_global_events;
  output.is_multi_region_trail = trail.multi_region;
  output.trail_arn = trail.arn;
  output.log_file_validation_enabled = trail.validation;
  if (!trail.group_arn.empty()) output.cloud_watch_logs_log_group_arn = trail.group_arn;
  if (!trail.role_arn.empty()) output.cloud_watch_logs_role_arn = trail.role_arn;
  output.is_organization_trail = false;
  return output;
}

Trail describe_whole(const TrailRecord& trail) {
  auto output = describe<Trail>(trail);
  output.home_region = trail.home_region;
  const std::vector<EventSelector> plain = default_selectors();
  output.has_custom_event_selectors =
      !trail.advanced_selectors.empty() ||
      encode_record(TrailRecord{.selectors = trail.selectors}) != encode_record(TrailRecord{.selectors = plain});
  output.has_insight_selectors = false;
  return output;
}

std::vector<const TrailRecord*> trails_of(const Cloudtrail& cloudtrail, const std::string& account) {
  std::vector<const TrailRecord*> found;
  cloudtrail.trails.for_all([&](const Scope& scope, std::string_view, const TrailRecord& trail) {
    if (scope.account == account) found.push_back(&trail);
  });
  std::ranges::sort(found, {}, [](const TrailRecord* trail) { return trail->arn; });
  return found;
}

std::string name_of_arn(const Cloudtrail& cloudtrail, const Scope& scope, const std::string& arn) {
  const std::optional<Arn> parsed = parse_arn(arn);
  if (!parsed || parsed->service != "cloudtrail")
    throw cloud_trail_arn_invalid_exception("CloudTrail ARN is invalid: " + arn);
  if (!parsed->resource.starts_with("trail/"))
    throw resource_type_not_supported_exception("Brume tags trails only; this is no trail's ARN: " + arn);
  return get_trail(cloudtrail, scope, arn).name;
}

}  // namespace

CreateTrailOutput create_trail(Cloudtrail& cloudtrail, Tx& tx, const Request<CreateTrailInput>& request) {
  const CreateTrailInput& input = request.input;
  const std::string& name = input.name.get();
  check_name(name);
  refuse_unserved(input, "CreateTrail");
  if (cloudtrail.trails.find(request.scope, name) != nullptr)
    throw trail_already_exists_exception("Trail " + name + " already exists for customer: " + request.scope.account);
  const auto all = [](const TrailRecord&) { return true; };
  if (cloudtrail.trails.select(request.scope, all).size() >= kMostTrails)
    throw maximum_number_of_trails_exceeded_exception("User: " + request.scope.account + " already has " +
                                                      std::to_string(kMostTrails) + " trails in " +
                                                      request.scope.region + ".");
  TrailRecord trail{.name = name,
                    .arn = make_arn(request.scope, "cloudtrail", "trail/" + name),
                    .account = request.scope.account,
                    .home_region = request.scope.region,
                    .bucket = input.s3_bucket_name.get(),
                    .prefix = input.s3_key_prefix.value_or(""),
                    .include_global_events = input.include_global_service_events.value_or(true),
                    .multi_region = input.is_multi_region_trail.value_or(false),
                    .validation = input.enable_log_file_validation.value_or(false),
                    .group_arn = input.cloud_watch_logs_log_group_arn.value_or(""),
                    .role_arn = input.cloud_watch_logs_role_arn.value_or(""),
                    .selectors = default_selectors(),
                    .tags = checked_tags(tags_from(input.tags_list.get()))};
  check_scope(trail);
  check_bucket(cloudtrail, trail);
  check_group(cloudtrail, trail);
  finish_erasures(tx.store());  // of a trail that had its name
  cloudtrail.trails.insert(tx, request.scope, name, trail);
  return describe<CreateTrailOutput>(trail);
}

UpdateTrailOutput update_trail(Cloudtrail& cloudtrail, Tx& tx, const Request<UpdateTrailInput>& request) {
  const UpdateTrailInput& input = request.input;
  refuse_unserved(input, "UpdateTrail");
  TrailRecord changed = get_home_trail(cloudtrail, request.scope, input.name.get());
  const bool moved = input.s3_bucket_name || input.s3_key_prefix;
  if (input.s3_bucket_name) changed.bucket = *input.s3_bucket_name;
  if (input.s3_key_prefix) changed.prefix = *input.s3_key_prefix;
  if (input.include_global_service_events) changed.include_global_events = *input.include_global_service_events;
  if (input.is_multi_region_trail) changed.multi_region = *input.is_multi_region_trail;
  if (input.enable_log_file_validation) changed.validation = *input.enable_log_file_validation;
  if (input.cloud_watch_logs_log_group_arn) changed.group_arn = *input.cloud_watch_logs_log_group_arn;
  if (input.cloud_watch_logs_role_arn) changed.role_arn = *input.cloud_watch_logs_role_arn;
  check_scope(changed);
  if (moved) check_bucket(cloudtrail, changed);
  check_group(cloudtrail, changed);
  change_trail(cloudtrail, tx, changed, [&](TrailRecord& trail) { trail = changed; });
  tx.on_commit([&cloudtrail, arn = changed.arn, validation = changed.validation] {
    validation ? cloudtrail.delivery.begin_digests(arn) : cloudtrail.delivery.end_digests(arn);
  });
  return describe<UpdateTrailOutput>(changed);
}

DeleteTrailOutput delete_trail(Cloudtrail& cloudtrail, Tx& tx, const Request<DeleteTrailInput>& request) {
  const TrailRecord trail = get_home_trail(cloudtrail, request.scope, request.input.name.get());
  cloudtrail.delivery.forget(tx, trail);
  cloudtrail.trails.erase(tx, request.scope, trail.name);
  tx.on_commit([&cloudtrail] { publish_trails(cloudtrail); });
  return {};
}

GetTrailOutput get_trail(Cloudtrail& cloudtrail, Tx&, const Request<GetTrailInput>& request) {
  GetTrailOutput output;
  const std::string& name = request.input.name.get();
  check_name_or_arn(name);
  output.trail = describe_whole(get_trail(cloudtrail, request.scope, name));
  return output;
}

DescribeTrailsOutput describe_trails(Cloudtrail& cloudtrail, Tx&, const Request<DescribeTrailsInput>& request) {
  const auto& names = request.input.trail_name_list.get();
  const bool shadows = request.input.include_shadow_trails.value_or(true);
  DescribeTrailsOutput output;
  auto& list = output.trail_list.emplace();
  for (const TrailRecord* trail : trails_of(cloudtrail, request.scope.account)) {
    const bool here = trail->home_region == request.scope.region;
    const bool named = std::ranges::find(names, trail->arn) != names.end() ||
                       ((here || trail->multi_region) && std::ranges::find(names, trail->name) != names.end());
    if (names.empty() ? here || (shadows && trail->multi_region) : named) list.push_back(describe_whole(*trail));
  }
  return output;
}

ListTrailsOutput list_trails(Cloudtrail& cloudtrail, Tx&, const Request<ListTrailsInput>& request) {
  std::vector<const TrailRecord*> found = trails_of(cloudtrail, request.scope.account);
  ListTrailsOutput output;
  output.next_token = cut_page(
      cloudtrail.paging, paging_purpose("cloudtrail:ListTrails", request.scope), request.input.next_token, kPage, found,
      [](const TrailRecord* trail) { return trail->arn; },
      AwsError("InvalidNextTokenException", "The token is not valid."));
  auto& list = output.trails.emplace();
  for (const TrailRecord* trail : found) {
    TrailInfo info;
    info.name = trail->name;
    info.trail_arn = trail->arn;
    info.home_region = trail->home_region;
    list.push_back(std::move(info));
  }
  return output;
}

GetTrailStatusOutput get_trail_status(Cloudtrail& cloudtrail, Tx&, const Request<GetTrailStatusInput>& request) {
  check_name_or_arn(request.input.name.get());
  const TrailRecord& trail = get_trail(cloudtrail, request.scope, request.input.name.get());
  GetTrailStatusOutput output;
  output.is_logging = trail.logging;
  const auto give = [](opt<Time>& member, opt<std::string>* text, Time time) {
    if (time == Time{}) return;
    member = time;
    if (text != nullptr) *text = iso8601(time);
  };
  // "TimeLoggingStopped": "" and its like are there from the beginning (GetTrailStatus, examples).
  for (opt<std::string>* text :
       {&output.latest_delivery_attempt_time, &output.latest_delivery_attempt_succeeded,
        &output.latest_notification_attempt_time, &output.latest_notification_attempt_succeeded,
        &output.time_logging_started, &output.time_logging_stopped})
    text->emplace();
  give(output.start_logging_time, &output.time_logging_started, trail.started);
  give(output.stop_logging_time, &output.time_logging_stopped, trail.stopped);
  give(output.latest_delivery_time, &output.latest_delivery_attempt_time, trail.delivered);
  output.latest_delivery_attempt_succeeded = output.latest_delivery_attempt_time;
  give(output.latest_cloud_watch_logs_delivery_time, nullptr, trail.lines_delivered);
  give(output.latest_digest_delivery_time, nullptr, trail.digested);
  if (!trail.delivery_error.empty()) output.latest_delivery_error = trail.delivery_error;
  if (!trail.lines_error.empty()) output.latest_cloud_watch_logs_delivery_error = trail.lines_error;
  if (!trail.digest_error.empty()) output.latest_digest_delivery_error = trail.digest_error;
  return output;
}

StartLoggingOutput start_logging(Cloudtrail& cloudtrail, Tx& tx, const Request<StartLoggingInput>& request) {
  const TrailRecord& trail = get_home_trail(cloudtrail, request.scope, request.input.name.get());
  if (trail.logging) return {};
  tx.on_commit([&cloudtrail, arn = trail.arn] { cloudtrail.delivery.begin_digests(arn); });
  change_trail(cloudtrail, tx, trail, [&](TrailRecord& record) {
    record.logging = true;
    record.started = request.now;
  });
  return {};
}

StopLoggingOutput stop_logging(Cloudtrail& cloudtrail, Tx& tx, const Request<StopLoggingInput>& request) {
  const TrailRecord& trail = get_home_trail(cloudtrail, request.scope, request.input.name.get());
  if (!trail.logging) return {};
  tx.on_commit([&cloudtrail, arn = trail.arn] { cloudtrail.delivery.end_digests(arn); });
  change_trail(cloudtrail, tx, trail, [&](TrailRecord& record) {
    record.logging = false;
    record.stopped = request.now;
  });
  return {};
}

AddTagsOutput add_tags(Cloudtrail& cloudtrail, Tx& tx, const Request<AddTagsInput>& request) {
  const std::string name = name_of_arn(cloudtrail, request.scope, request.input.resource_id.get());
  const TrailRecord& trail = get_home_trail(cloudtrail, request.scope, name);
  Tags tags = trail.tags;
  for (const auto& [key, value] : tags_from(request.input.tags_list.get())) tags[key] = value;
  checked_tags(tags);
  change_trail(cloudtrail, tx, trail, [&](TrailRecord& record) { record.tags = tags; });
  return {};
}

RemoveTagsOutput remove_tags(Cloudtrail& cloudtrail, Tx& tx, const Request<RemoveTagsInput>& request) {
  const std::string name = name_of_arn(cloudtrail, request.scope, request.input.resource_id.get());
  change_trail(cloudtrail, tx, get_home_trail(cloudtrail, request.scope, name), [&](TrailRecord& record) {
    for (const Tag& tag : request.input.tags_list.get()) record.tags.erase(tag.key.get());
  });
  return {};
}

ListTagsOutput list_tags(Cloudtrail& cloudtrail, Tx&, const Request<ListTagsInput>& request) {
  ListTagsOutput output;
  auto& list = output.resource_tag_list.emplace();
  for (const std::string& arn : request.input.resource_id_list.get()) {
    const std::string name = name_of_arn(cloudtrail, request.scope, arn);
    ResourceTag entry;
    entry.resource_id = arn;
    entry.tags_list = tags_to<Tag>(get_trail(cloudtrail, request.scope, arn).tags);
    list.push_back(std::move(entry));
  }
  return output;
}

}  // namespace brume::cloudtrail

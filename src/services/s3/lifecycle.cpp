#include "services/s3/lifecycle.h"

#include <algorithm>
#include <array>
#include <set>

#include "core/error.h"
#include "core/text.h"

namespace brume::s3 {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kSmallBytes = 128 * 1024;

// From the first to the coldest: a transition goes forwards only.
constexpr std::array<std::string_view, 7> kWaterfall = {
    "STANDARD", "STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"};

std::size_t depth_of(std::string_view storage_class) {
  return static_cast<std::size_t>(std::ranges::find(kWaterfall, storage_class) - kWaterfall.begin());
}

AwsError malformed() {
  return AwsError("MalformedXML",
                  "The XML you provided was not well-formed or did not validate against our published schema");
}

AwsError invalid_argument(std::string message) { return AwsError("InvalidArgument", std::move(message)); }

// A rule's filter, whichever of its forms it was put in.
struct Conditions {
  std::string prefix;
  std::vector<Tag> tags;
  opt<std::int64_t> greater_than, less_than;
};

Conditions conditions_of(const LifecycleRule& rule) {
  Conditions conditions;
  conditions.prefix = rule.prefix.get();
  if (!rule.filter) return conditions;
  const LifecycleRuleFilter& filter = *rule.filter;
  if (filter.prefix) conditions.prefix = *filter.prefix;
  if (filter.tag) conditions.tags = {*filter.tag};
  conditions.greater_than = filter.object_size_greater_than;
  conditions.less_than = filter.object_size_less_than;
  if (filter.and_) {
    conditions.prefix = filter.and_->prefix.get();
    conditions.tags = filter.and_->tags.get();
    conditions.greater_than = filter.and_->object_size_greater_than;
    conditions.less_than = filter.and_->object_size_less_than;
  }
  return conditions;
}

bool enabled(const LifecycleRule& rule) { return rule.status.get() == "Enabled"; }

bool matches(const LifecycleRule& rule, std::string_view key, const ObjectRecord& object) {
  const Conditions conditions = conditions_of(rule);
  if (!key.starts_with(conditions.prefix)) return false;
  if (object.delete_marker) return conditions.tags.empty() && !conditions.greater_than && !conditions.less_than;
  const auto size = static_cast<std::int64_t>(object.size);
  if (conditions.greater_than && size <= *conditions.greater_than) return false;
  if (conditions.less_than && size >= *conditions.less_than) return false;
  return std::ranges::all_of(conditions.tags, [&](const Tag& tag) {
    const auto found = object.tags.find(tag.key.get());
    return found != object.tags.end() && found->second == tag.value.get();
  });
}

// "By default, objects smaller than 128 KB are not transitioned", unless a filter names a size.
bool large_enough(const BucketRecord& bucket, const LifecycleRule& rule, const ObjectRecord& object,
                  std::string_view storage_class) {
  const Conditions conditions = conditions_of(rule);
  if (conditions.greater_than || conditions.less_than) return true;
  if (static_cast<std::int64_t>(object.size) >= kSmallBytes) return true;
  const bool archive = storage_class == "GLACIER" || storage_class == "DEEP_ARCHIVE";
  return archive && bucket.transition_default_minimum_object_size == "varies_by_storage_class";
}

void check_days(const opt<std::int64_t>& days, const char* action, bool zero_is_fine) {
  if (days && (*days < 0 || (*days == 0 && !zero_is_fine))) {
    throw invalid_argument(std::string("'Days' for ") + action + " action must be a " +
                           (zero_is_fine ? "nonnegative" : "positive") + " integer");
  }
}

void check_date(const opt<Time>& date) {
  if (date && date->ms % kDayMs != 0) throw invalid_argument("'Date' must be at midnight GMT");
}

void check_transitions(const LifecycleRule& rule) {
  for (const Transition& transition : rule.transitions.get()) {
    if (transition.days.has_value() == transition.date.has_value()) throw malformed();
    check_days(transition.days, "Transition", true);
    check_date(transition.date);
    const std::string& target = transition.storage_class.get();
    if (target == "STANDARD" || depth_of(target) == kWaterfall.size()) throw malformed();
    if ((target == "STANDARD_IA" || target == "ONEZONE_IA") && transition.days && *transition.days < 30) {
      throw invalid_argument("'Days' in Transition action must be greater than or equal to 30 for storageClass '" +
                             target + "'");
    }
  }
  for (const NoncurrentVersionTransition& transition : rule.noncurrent_version_transitions.get()) {
    if (!transition.noncurrent_days) throw malformed();
    check_days(transition.noncurrent_days, "NoncurrentVersionTransition", true);
    const std::string& target = transition.storage_class.get();
    if (target == "STANDARD" || depth_of(target) == kWaterfall.size()) throw malformed();
  }
}

void check_expirations(const LifecycleRule& rule, const Conditions& conditions) {
  const bool by_tag = !conditions.tags.empty();
  if (rule.expiration) {
    const LifecycleExpiration& expiration = *rule.expiration;
    const int given =
        (expiration.days ? 1 : 0) + (expiration.date ? 1 : 0) + (expiration.expired_object_delete_marker ? 1 : 0);
    if (given != 1) throw malformed();
    check_days(expiration.days, "Expiration", false);
    check_date(expiration.date);
    if (by_tag && expiration.expired_object_delete_marker) {
      throw AwsError("InvalidRequest", "ExpiredObjectDeleteMarker cannot be specified with tags.");
    }
  }
  if (rule.noncurrent_version_expiration) {
    if (!rule.noncurrent_version_expiration->noncurrent_days) throw malformed();
    check_days(rule.noncurrent_version_expiration->noncurrent_days, "NoncurrentVersionExpiration", false);
  }
  if (rule.abort_incomplete_multipart_upload) {
    check_days(rule.abort_incomplete_multipart_upload->days_after_initiation, "AbortIncompleteMultipartUpload", false);
    if (by_tag) throw AwsError("InvalidRequest", "AbortIncompleteMultipartUpload cannot be specified with Tags.");
  }
}

void check_filter(const LifecycleRule& rule) {
  if (rule.prefix.has_value() == rule.filter.has_value()) throw malformed();
  if (!rule.filter) return;
  const LifecycleRuleFilter& filter = *rule.filter;
  const int given = (filter.prefix ? 1 : 0) + (filter.tag ? 1 : 0) + (filter.object_size_greater_than ? 1 : 0) +
                    (filter.object_size_less_than ? 1 : 0) + (filter.and_ ? 1 : 0);
  if (given > 1) throw malformed();
  const Conditions conditions = conditions_of(rule);
  if (conditions.greater_than && conditions.less_than && *conditions.less_than <= *conditions.greater_than) {
    throw AwsError("InvalidRequest", "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.");
  }
}

// The latest transition whose time has come.
std::optional<std::string> due_class(const BucketRecord& bucket, const LifecycleRule& rule, const ObjectRecord& object,
                                     bool current, Time now) {
  std::optional<std::string> target;
  const auto consider = [&](const std::string& storage_class, Time due) {
    if (due > now || depth_of(storage_class) <= depth_of(target.value_or(object.storage_class))) return;
    if (large_enough(bucket, rule, object, storage_class)) target = storage_class;
  };
  if (current) {
    for (const Transition& each : rule.transitions.get()) {
      consider(each.storage_class.get(),
               each.date ? *each.date : midnight_after(object.last_modified, each.days.get()));
    }
  } else {
    for (const NoncurrentVersionTransition& each : rule.noncurrent_version_transitions.get()) {
      consider(each.storage_class.get(), midnight_after(object.noncurrent_since, each.noncurrent_days.get()));
    }
  }
  return target;
}

bool current_expires(const LifecycleRule& rule, const ObjectRecord& current, bool alone, Time now) {
  if (!rule.expiration) return false;
  const LifecycleExpiration& expiration = *rule.expiration;
  if (current.delete_marker) {
    // "S3 … removes expired object delete markers", also where Days says how old one must be.
    if (!alone) return false;
    if (expiration.expired_object_delete_marker.get()) return true;
    return expiration.days && midnight_after(current.last_modified, *expiration.days) <= now;
  }
  if (expiration.date) return *expiration.date <= now;
  return expiration.days && midnight_after(current.last_modified, *expiration.days) <= now;
}

// `newer` is how many noncurrent versions are newer than this one.
bool noncurrent_expires(const LifecycleRule& rule, const ObjectRecord& version, std::int64_t newer, Time now) {
  if (!rule.noncurrent_version_expiration) return false;
  const NoncurrentVersionExpiration& expiration = *rule.noncurrent_version_expiration;
  if (newer < expiration.newer_noncurrent_versions.get()) return false;
  return midnight_after(version.noncurrent_since, expiration.noncurrent_days.get()) <= now;
}

std::optional<LifecycleAction> action_for(const BucketRecord& bucket, std::string_view key,
                                          const std::vector<ObjectRecord>& versions, std::size_t index, Time now) {
  const ObjectRecord& version = versions[index];
  const bool current = index == 0;
  std::optional<std::string> target;
  for (const LifecycleRule& rule : bucket.lifecycle) {
    if (!enabled(rule) || !matches(rule, key, version)) continue;
    using Kind = LifecycleAction::Kind;
    // "Permanent deletion over transition": an expiry ends the search.
    if (current && current_expires(rule, version, versions.size() == 1, now)) {
      return LifecycleAction{version.delete_marker ? Kind::erase : Kind::expire, version.sequence, {}};
    }
    if (!current && noncurrent_expires(rule, version, static_cast<std::int64_t>(index) - 1, now)) {
      return LifecycleAction{Kind::erase, version.sequence, {}};
    }
    if (version.delete_marker) continue;
    const std::optional<std::string> here = due_class(bucket, rule, version, current, now);
    if (here && (!target || depth_of(*here) > depth_of(*target))) target = here;
  }
  if (!target) return std::nullopt;
  return LifecycleAction{LifecycleAction::Kind::transition, version.sequence, *target};
}

}  // namespace

void check_lifecycle(std::vector<LifecycleRule>& rules, Random& random) {
  if (rules.empty() || rules.size() > 1000) throw malformed();
  std::set<std::string> ids;
  for (LifecycleRule& rule : rules) {
    if (!rule.id || rule.id->empty()) rule.id = to_base64(random.hex(36));
    if (rule.id->size() > 255) throw invalid_argument("ID length should not exceed allowed limit of 255");
    if (!ids.insert(*rule.id).second)
      throw invalid_argument("Rule ID must be unique. Found same ID for more than one rule");
    if (rule.status.get() != "Enabled" && rule.status.get() != "Disabled") throw malformed();
    check_filter(rule);
    check_transitions(rule);
    check_expirations(rule, conditions_of(rule));
    if (!rule.expiration && rule.transitions.get().empty() && rule.noncurrent_version_transitions.get().empty() &&
        !rule.noncurrent_version_expiration && !rule.abort_incomplete_multipart_upload) {
      throw AwsError("InvalidRequest", "At least one action needs to be specified in a rule.");
    }
  }
}

Time midnight_after(Time from, std::int64_t days) {
  return {((from + brume::days(days)).ms + kDayMs - 1) / kDayMs * kDayMs};
}

std::optional<Expiration> expiration_of(const std::vector<LifecycleRule>& rules, std::string_view key,
                                        const ObjectRecord& object) {
  std::optional<Expiration> earliest;
  for (const LifecycleRule& rule : rules) {
    if (!enabled(rule) || !rule.expiration || !matches(rule, key, object)) continue;
    const LifecycleExpiration& expiration = *rule.expiration;
    if (!expiration.date && !expiration.days) continue;
    const Time date = expiration.date ? *expiration.date : midnight_after(object.last_modified, *expiration.days);
    if (!earliest || date < earliest->date) earliest = {date, rule.id.get()};
  }
  return earliest;
}

std::optional<Expiration> abort_of(const std::vector<LifecycleRule>& rules, std::string_view key, Time initiated) {
  std::optional<Expiration> earliest;
  for (const LifecycleRule& rule : rules) {
    if (!enabled(rule) || !rule.abort_incomplete_multipart_upload) continue;
    if (!key.starts_with(conditions_of(rule).prefix)) continue;
    const Time date = midnight_after(initiated, rule.abort_incomplete_multipart_upload->days_after_initiation.get());
    if (!earliest || date < earliest->date) earliest = {date, rule.id.get()};
  }
  return earliest;
}

std::string expiration_header(const Expiration& expiration) {
  return "expiry-date=\"" + http_date(expiration.date) + "\", rule-id=\"" + percent_encode(expiration.rule_id) + "\"";
}

std::vector<LifecycleAction> due_actions(const BucketRecord& bucket, std::string_view key,
                                         const std::vector<ObjectRecord>& versions, Time now) {
  std::vector<LifecycleAction> actions;
  for (std::size_t index = 0; index < versions.size(); ++index) {
    if (auto action = action_for(bucket, key, versions, index, now)) actions.push_back(std::move(*action));
  }
  return actions;
}

}  // namespace brume::s3

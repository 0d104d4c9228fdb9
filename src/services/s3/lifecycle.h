// Lifecycle rules: what may be put, what they say of an object, and what is due at a moment. Follows "Lifecycle
// configuration elements" and "Setting lifecycle rules based on an object's age". Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/random.h"
#include "services/s3/records.h"

namespace brume::s3 {

inline constexpr const char* kAllClasses128K = "all_storage_classes_128K";

// Throws MalformedXML, InvalidArgument, InvalidRequest; gives rules without an id a random one.
void check_lifecycle(std::vector<LifecycleRule>& rules, Random& random);

// The first midnight UTC after `from` and `days` days: "Amazon S3 … rounds the resulting time to the next day midnight
// UTC".
Time midnight_after(Time from, std::int64_t days);

// When a current version will expire and by which rule: the x-amz-expiration header.
struct Expiration {
  Time date;
  std::string rule_id;
};
std::optional<Expiration> expiration_of(const std::vector<LifecycleRule>& rules, std::string_view key,
                                        const ObjectRecord& object);
// When an upload will be aborted and by which rule: x-amz-abort-date.
std::optional<Expiration> abort_of(const std::vector<LifecycleRule>& rules, std::string_view key, Time initiated);
// expiry-date="…", rule-id="…"
std::string expiration_header(const Expiration& expiration);

struct LifecycleAction {
  enum class Kind {
    expire,     // the current version: deleted, or hidden by a delete marker
    erase,      // this version, for good
    transition  // this version, to another storage class
  };
  Kind kind = Kind::expire;
  std::uint64_t sequence = 0;
  std::string storage_class;
  bool operator==(const LifecycleAction&) const = default;
};
// `versions` are a key's, newest first.
std::vector<LifecycleAction> due_actions(const BucketRecord& bucket, std::string_view key,
                                         const std::vector<ObjectRecord>& versions, Time now);

}  // namespace brume::s3

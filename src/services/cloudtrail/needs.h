// What CloudTrail asks of other services; app adapts it. Control thread.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/scope.h"
#include "core/time.h"

namespace brume::cloudtrail {

// Writes where a trail delivers to.
class Deliveries {
 public:
  virtual ~Deliveries() = default;

  struct Problem {
    std::string code;  // an error code of S3 or Logs: "NoSuchBucket", "AccessDenied"; empty: none
    std::string message;
    explicit operator bool() const { return !code.empty(); }
  };

  // Whether a trail may deliver to a bucket ("Amazon S3 bucket policy for CloudTrail"): to objects that start with
  // `prefix`, as cloudtrail.amazonaws.com.
  virtual Problem bucket_problem(const Scope& scope, const std::string& trail_arn, const std::string& bucket,
                                 const std::string& prefix) const = 0;
  struct Object {
    std::string bucket, key, bytes, content_type, content_encoding;
    std::vector<std::pair<std::string, std::string>> metadata;
  };
  virtual void put_object(const Scope& scope, const std::string& trail_arn, Object object,
                          std::function<void(const Problem&)> done) = 0;

  // Whether the role may be assumed by CloudTrail and may write to the group.
  virtual Problem group_problem(const Scope& scope, const std::string& role, const std::string& group_arn) const = 0;
  struct Line {
    Time at;
    std::string text;
  };
  virtual Problem put_lines(const Scope& scope, const std::string& role, const std::string& group_arn,
                            const std::string& stream, const std::vector<Line>& lines) = 0;
};

}  // namespace brume::cloudtrail

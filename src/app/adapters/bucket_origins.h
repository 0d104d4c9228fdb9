// Which pages may use S3's buckets: the buckets' CORS rules, for the front door.
#pragma once

#include "front/cross_origin.h"
#include "services/s3/cors.h"
#include "services/s3/s3.h"

namespace brume::app {

class BucketOrigins final : public CrossOrigin {
 public:
  explicit BucketOrigins(const s3::S3& s3) : s3_(s3) {}
  std::optional<Headers> preflight(const std::string& bucket, const std::string& origin, const std::string& method,
                                   const std::string& requested_headers) const override {
    const auto* rules = s3_.find_cors(bucket);
    return rules == nullptr ? std::nullopt : s3::cors_preflight(*rules, origin, method, requested_headers);
  }
  Headers headers(const std::string& bucket, const std::string& origin, const std::string& method) const override {
    const auto* rules = s3_.find_cors(bucket);
    return rules == nullptr ? Headers{} : s3::cors_headers(*rules, origin, method);
  }

 private:
  const s3::S3& s3_;
};

}  // namespace brume::app

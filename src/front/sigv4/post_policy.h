// Browser uploads to S3: the form's signature, and what its policy allows. "Browser-based uploads using POST (AWS
// Signature Version 4)" of the Amazon S3 API reference: the string to sign is the policy itself, in base64. Pure
// functions; any thread.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "aws/authorization.h"
#include "aws/http.h"
#include "core/error.h"
#include "core/time.h"

namespace brume::sigv4 {

struct PostGrant {
  Principal principal;  // anonymous: the form has no policy, and the bucket must be open to everyone
  std::string access_key_id;
  std::int64_t smallest = 0, largest = INT64_MAX;  // of the file, in bytes
};

// Verifies the form's signature and its fields against its policy, in which `bucket` is a field, too. `region` is the
// host's; empty: any.
std::expected<PostGrant, AwsError> read_post(const Headers& fields, std::string_view bucket, std::string_view region,
                                             Time now, const Credentials& credentials);

// Whether a file of that size is allowed.
std::optional<AwsError> check_post_size(const PostGrant& grant, std::uint64_t size);

}  // namespace brume::sigv4

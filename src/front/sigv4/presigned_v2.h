// Signature Version 2 in the query string, which S3 still takes in its oldest regions and which boto3 makes there
// unless it is told otherwise: "Authenticating requests using the REST API" in the S3 user guide's appendix on
// Signature Version 2. In headers it is refused, as AWS's documents say. Pure functions.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "aws/authorization.h"
#include "core/error.h"
#include "core/time.h"
#include "front/sigv4/canonical.h"

namespace brume::sigv4 {

bool is_presigned_v2(const SignedRequest& request);

// `resource` is the path as sent, with the bucket's name before it when that is in the host. `region` is the host's;
// empty: unknown.
std::expected<Principal, AwsError> verify_presigned_v2(const SignedRequest& request, std::string_view resource,
                                                       std::string_view region, Time now,
                                                       const Credentials& credentials);

// The text that is signed. For tests.
std::string string_to_sign_v2(const SignedRequest& request, std::string_view resource);

}  // namespace brume::sigv4

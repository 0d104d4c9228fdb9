// How each family of services words a refused signature. The codes differ by protocol, the causes do not: "Common
// errors" of the services' API references, "Error responses" of the S3 API reference. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "core/error.h"

namespace brume::sigv4 {

enum class Style { query, ec2, json, rest_json, s3 };

// The request has no signature.
AwsError missing_authentication(Style style);
// The Authorization header or the query parameters cannot be understood; `what` says how.
AwsError incomplete_signature(Style style, const std::string& what, bool presigned);
// The access key does not exist, is inactive, or does not belong to the session token.
AwsError unknown_access_key(Style style, const std::string& access_key_id);
AwsError wrong_session_token(Style style);
AwsError expired_session_token(Style style);
// The signature is well-formed but does not hold; `detail` replaces the usual sentence when it is not empty.
AwsError wrong_signature(Style style, const std::string& detail = {});
// The credential scope does not fit this service or region.
AwsError wrong_scope(Style style, const std::string& detail);

}  // namespace brume::sigv4

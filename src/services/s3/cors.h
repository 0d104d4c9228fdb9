// Cross-origin resource sharing of a bucket: "Using cross-origin resource sharing (CORS)". Pure functions; the front
// answers preflight requests with them and adds the headers to answers.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/http.h"
#include "services/s3/records.h"

namespace brume::s3 {

// Throws MalformedXML, InvalidRequest.
void validate_cors(const std::vector<CORSRule>& rules);

// The headers of the answer to a preflight request (OPTIONS); nullopt: no rule allows it, S3 answers 403.
// `requested_headers` is Access-Control-Request-Headers as sent.
std::optional<Headers> cors_preflight(const std::vector<CORSRule>& rules, std::string_view origin,
                                      std::string_view method, std::string_view requested_headers);
// The headers to add to the answer of a request with an Origin; empty when no rule matches.
Headers cors_headers(const std::vector<CORSRule>& rules, std::string_view origin, std::string_view method);

}  // namespace brume::s3

// Request bodies that clients have compressed ("Request compression" of the AWS SDKs and Tools Reference Guide). Pure
// functions.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "aws/http.h"
#include "core/error.h"

namespace brume::front {

// Whether Content-Encoding names something else than the body as it is.
bool is_encoded(const Headers& headers);
// The body as it was before it was compressed with gzip, at most `limit` bytes; other encodings are refused by name.
std::expected<std::string, AwsError> decode_body(const Headers& headers, std::string_view body, std::size_t limit);

}  // namespace brume::front

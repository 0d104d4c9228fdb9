// What the front door needs to let pages of other origins at S3's buckets ("Using cross-origin resource sharing (CORS)"
// of the S3 user guide). Implemented by app over S3. Control thread.
#pragma once

#include <optional>
#include <string>

#include "aws/http.h"

namespace brume {

class CrossOrigin {
 public:
  virtual ~CrossOrigin() = default;
  // The headers of the answer to a preflight request; nullopt: no rule of the bucket allows it.
  virtual std::optional<Headers> preflight(const std::string& bucket, const std::string& origin,
                                           const std::string& method, const std::string& requested_headers) const = 0;
  // The headers to add to the answer of a request that names an origin.
  virtual Headers headers(const std::string& bucket, const std::string& origin, const std::string& method) const = 0;
};

}  // namespace brume

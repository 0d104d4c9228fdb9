#include "front/dispatch/content_encoding.h"

#include <utility>

#include "core/gzip.h"
#include "core/text.h"
#include "front/http/body_sink.h"

namespace brume::front {
namespace {

AwsError unreadable(GzipProblem problem, std::size_t limit) {
  const auto because = [](const char* what) {
    return AwsError("SerializationException", std::string("The request's body cannot be decompressed: ") + what + ".",
                    400);
  };
  switch (problem) {
    case GzipProblem::damaged:
      break;
    case GzipProblem::ends_early:
      return because("it ends too early");
    case GzipProblem::something_follows:
      return because("something follows its end");
    case GzipProblem::too_long:
      return http::body_too_large(limit);
  }
  return because("it is not gzip");
}

std::string_view encoding_of(const Headers& headers) {
  const std::string_view encoding = trim(header_of(headers, "content-encoding"));
  return equals_ignoring_case(encoding, "identity") ? std::string_view() : encoding;
}

}  // namespace

bool is_encoded(const Headers& headers) { return !encoding_of(headers).empty(); }

std::expected<std::string, AwsError> decode_body(const Headers& headers, std::string_view body, std::size_t limit) {
  const std::string_view encoding = encoding_of(headers);
  if (equals_ignoring_case(encoding, "gzip")) {
    auto plain = gunzip(body, limit);
    if (!plain) return std::unexpected(unreadable(plain.error(), limit));
    return *std::move(plain);
  }
  return std::unexpected(AwsError("UnsupportedMediaTypeException",
                                  "The Content-Encoding '" + std::string(encoding) + "' is not served; gzip is.", 415));
}

}  // namespace brume::front

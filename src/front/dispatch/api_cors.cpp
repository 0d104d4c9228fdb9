// Browsers' requests to S3 from pages of other origins: preflight requests, and the headers of other answers.
#include <utility>

#include "core/text.h"
#include "front/dispatch/api_call.h"

namespace brume::front {
namespace {

std::string bucket_of(std::string_view path) {
  path.remove_prefix(1);
  return percent_decode(path.substr(0, path.find('/'))).value_or("");
}

}  // namespace

bool ApiCall::is_preflight() const {
  return environment_->cross_origin != nullptr && style_ == sigv4::Style::s3 && exchange_->head().method == "OPTIONS" &&
         path_.starts_with('/');
}

void ApiCall::answer_preflight() {
  guard_control([this] {
    const http::RequestHead& head = exchange_->head();
    const std::string origin(head.header("origin"));
    const std::string method(head.header("access-control-request-method"));
    if (origin.empty()) throw AwsError("BadRequest", "Insufficient information. Origin request header needed.");
    if (method.empty()) throw AwsError("BadRequest", "Invalid Access-Control-Request-Method: null");
    auto headers = environment_->cross_origin->preflight(bucket_of(path_), origin, method,
                                                         std::string(head.header("access-control-request-headers")));
    if (!headers)
      throw AwsError("AccessForbidden",
                     "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, "
                     "request method / Access-Control-Request-Method or Access-Control-Request-Headers are not "
                     "whitelisted by the resource's CORS spec.",
                     403)
          .with("Method", method);
    headers->emplace_back("x-amz-request-id", context_.request_id);
    exchange_->reply({.headers = *std::move(headers)});
  });
}

void ApiCall::find_cross_origin_headers() {
  if (environment_->cross_origin == nullptr || style_ != sigv4::Style::s3) return;
  const http::RequestHead& head = exchange_->head();
  const std::string origin(head.header("origin"));
  if (!origin.empty() && path_.size() > 1)
    reply_headers_ = environment_->cross_origin->headers(bucket_of(path_), origin, head.method);
}

}  // namespace brume::front

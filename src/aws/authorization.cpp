#include "aws/authorization.h"

#include <string_view>

namespace brume {
namespace {

// How services write the resource: S3 quotes it, and these three leave out that an action has none ("…perform:
// ec2:DescribeVpcs because …"); the others write "on resource: *".
std::string resource_text(const Ask& ask) {
  const std::string_view service = std::string_view(ask.action).substr(0, ask.action.find(':'));
  const bool is_s3 = service == "s3";
  if (ask.resource == "*" && (is_s3 || service == "ec2" || service == "elasticloadbalancing")) return {};
  return " on resource: " + (is_s3 ? "\"" + ask.resource + "\"" : ask.resource);
}

}  // namespace

std::string denial_message(const Principal& principal, const Ask& ask, const Verdict& verdict) {
  const std::string caller = principal.kind == Principal::Kind::anonymous ? "anonymous" : principal.arn;
  std::string message = "User: " + caller + " is not authorized to perform: " + ask.action + resource_text(ask);
  if (!verdict.reason.empty()) message += " " + verdict.reason;
  return message;
}

}  // namespace brume

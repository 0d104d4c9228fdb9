#include "aws/authorization.h"

namespace brume {

std::string denial_message(const Principal& principal, const Ask& ask, const Verdict& verdict) {
  const std::string caller = principal.kind == Principal::Kind::anonymous ? "anonymous" : principal.arn;
  std::string message =
      "User: " + caller + " is not authorized to perform: " + ask.action + " on resource: " + ask.resource;
  if (!verdict.reason.empty()) message += " " + verdict.reason;
  return message;
}

}  // namespace brume

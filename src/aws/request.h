// What a handler is given: who asks, from where, for which account and region, and the parsed input.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "aws/tags.h"
#include "core/file_body.h"
#include "core/scope.h"
#include "core/time.h"

namespace brume {

struct Principal {
  enum class Kind { anonymous, root, user, role_session, federated_user, service };
  Kind kind = Kind::anonymous;
  std::string account;
  std::string arn;       // arn:aws:sts::…:assumed-role/NAME/SESSION, arn:aws:iam::…:user/NAME, …:root
  std::string id;        // AIDA…, AROA…:SESSION, the account for root; a service principal's name for services
  std::string role_arn;  // of a role session: the role's own ARN, path included
  std::string access_key_id;
  std::string session_policy;  // inline session policy document, empty if none
  std::vector<std::string> session_policy_arns;
  Tags session_tags;
  std::string source_identity;
  Time expires;  // of temporary credentials; zero: never
  bool mfa = false;
  Time issued;  // when temporary credentials were made; zero: the credentials are long-lived
  bool operator==(const Principal&) const = default;
};

struct RequestContext {
  Scope scope;  // the caller's account; the region from the credential scope, else from the host
  Principal principal;
  std::string request_id;
  Time now;
  std::string source_address;
  std::string user_agent;
  std::string host;      // as sent, port included
  bool secure = false;   // came over TLS
  std::string vpc;       // the VPC whose namespace the request came from, if it is known
  std::string endpoint;  // "https://sqs.eu-west-1.amazonaws.com" or "http://127.0.0.1:4566", as the caller addressed it
};

template <class Input>
struct Request : RequestContext {
  Request(const RequestContext& context, const Input& input) : RequestContext(context), input(input) {}
  const Input& input;
};

}  // namespace brume

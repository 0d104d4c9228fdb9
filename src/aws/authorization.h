// Who may do what. The front finds a request's principal by its access key and asks the authorizer before the handler
// runs; services that act for a role ask it themselves. IAM implements both.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/request.h"

namespace brume {

class Tx;

struct Credential {
  std::string secret;
  std::string session_token;  // empty for long-lived keys
  Principal principal;
  bool active = true;
};

// Looked up on the I/O thread while a signature is verified: thread-safe.
class Credentials {
 public:
  virtual ~Credentials() = default;
  virtual std::optional<Credential> find(std::string_view access_key_id) const = 0;
};

// One thing asked for: an action on a resource, with the condition keys that are known ("aws:SourceIp", "s3:prefix").
struct Ask {
  std::string action;          // "ecr:BatchGetImage"
  std::string resource = "*";  // an ARN, or "*"
  std::multimap<std::string, std::string> keys;
};

struct Verdict {
  bool allowed = false;
  // The end of AWS's message: "because no identity-based policy allows the ecr:BatchGetImage action",
  // "with an explicit deny in an identity-based policy".
  std::string reason;
  std::string resource_account;  // whose the resource is, when it is not of the caller's account
};

class Authorizer {
 public:
  virtual ~Authorizer() = default;
  // Root is always allowed within its account. Control thread.
  virtual Verdict authorize(const RequestContext& context, const Ask& ask) const = 0;
};

// AWS's text for a denial: "User: ARN is not authorized to perform: ACTION on resource: ARN because …".
std::string denial_message(const Principal& principal, const Ask& ask, const Verdict& verdict);

// A resource's own policy, for services that have them (buckets, repositories, keys, queues). By ARN; nullopt: none.
class ResourcePolicies {
 public:
  virtual ~ResourcePolicies() = default;
  struct Found {
    std::string owner_account;
    std::string document;  // empty: the resource has no policy
  };
  virtual std::optional<Found> find(const std::string& resource_arn) const = 0;
};

// What a service needs to act as a role (ECS with an execution role). Implemented by IAM and STS, wired by app.
class Roles {
 public:
  virtual ~Roles() = default;
  // A session of the role for a service ("ecs-tasks.amazonaws.com"); nullopt and the reason when there is no such role
  // or its trust policy does not allow the service.
  virtual std::optional<Principal> assume(const std::string& role_arn, const std::string& service,
                                          const std::string& session_name, std::string& why_not) const = 0;
  struct SessionKeys {
    std::string access_key_id, secret_access_key, session_token, role_arn;
    Time expires;
  };
  // Temporary credentials of such a session, stored and valid at the front door at once (six hours, as Fargate's).
  virtual std::optional<SessionKeys> issue(Tx& tx, const std::string& role_arn, const std::string& service,
                                           const std::string& session_name, std::string& why_not) = 0;
};

}  // namespace brume

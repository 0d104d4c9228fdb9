// What IAM needs of others, in its own words; `app` adapts. Control thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "aws/authorization.h"

namespace brume::iam {

// Where access keys become known to the front door (STS's key ring).
class AccessKeys {
 public:
  virtual ~AccessKeys() = default;
  // A fresh id of a long-lived key, which carries the account: "AKIA…".
  virtual std::string new_id(const std::string& account) = 0;
  // The account that an id carries; empty when it is no id of this cloud.
  virtual std::string account_of(const std::string& access_key_id) const = 0;
  virtual void put(const std::string& access_key_id, Credential credential) = 0;
  virtual void remove(const std::string& access_key_id) = 0;
};

// What a session's token brought beside its principal: keys of its identity provider ("ISSUER:sub"), for policies.
class Sessions {
 public:
  virtual ~Sessions() = default;
  // Null for a session without them, and for long-lived keys.
  virtual const std::map<std::string, std::string>* provider_keys(const Principal& principal) const = 0;
};

// The tags of other services' resources, for aws:ResourceTag. By ARN; nullopt: there is no such resource.
class ResourceTags {
 public:
  virtual ~ResourceTags() = default;
  virtual std::optional<Tags> find(const std::string& resource_arn) const = 0;
};

// The service control policies of the organization that an account is in.
class ServiceControlPolicies {
 public:
  virtual ~ServiceControlPolicies() = default;
  struct Policy {
    std::string name, document;
  };
  // One list for each level from the organization's root to the account; none: the account is in no organization.
  virtual const std::vector<std::vector<Policy>>& levels(const std::string& account) const = 0;
};

// What still needs a service-linked role (ECS's clusters).
class LinkedRoleUse {
 public:
  virtual ~LinkedRoleUse() = default;
  // ARNs of the account's resources that use the role of the service.
  virtual std::vector<std::string> resources(const std::string& account, const std::string& service) const = 0;
};

}  // namespace brume::iam

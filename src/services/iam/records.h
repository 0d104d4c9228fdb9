// IAM's records: what is stored of roles, users, policies, instance profiles and access keys. All are global: their
// scope is the account with no region, their id the name in lower case, as IAM's names ignore case when they must be
// unique. Values.
#pragma once

#include <boost/describe/class.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "aws/tags.h"
#include "core/time.h"

namespace brume::iam {

// What roles and users have in common: the policies that decide what they may do.
struct Permissions {
  std::map<std::string, std::string> inline_policies;  // documents by name
  std::vector<std::string> attached;                   // ARNs of managed policies, in the order of attaching
  std::string boundary;                                // a managed policy's ARN; empty: none
};
BOOST_DESCRIBE_STRUCT(Permissions, (), (inline_policies, attached, boundary))

struct RoleRecord {
  std::string name, path, id, arn;
  Time created;
  std::string description;
  bool has_description = false;
  std::string trust;  // the document as it was given
  // The unique ids of the roles and users that the trust policy names, by ARN, when it was put: a name that is given
  // to somebody else later is not trusted.
  std::map<std::string, std::string> trusted_ids;
  std::int64_t max_session_seconds = 3600;
  Permissions permissions;
  Tags tags;
  std::string linked_service;  // of a service-linked role: "ecs.amazonaws.com"
};
BOOST_DESCRIBE_STRUCT(RoleRecord, (),
                      (name, path, id, arn, created, description, has_description, trust, trusted_ids,
                       max_session_seconds, permissions, tags, linked_service))

// A user's password for the console: there is none here, but its policy, age and reset are as on AWS. Never the text.
struct LoginRecord {
  std::string salt, digest;  // hex
  Time created, changed;
  bool reset_required = false;
  std::vector<std::string> former;  // digests by the same salt, newest first: what may not be used again
};
BOOST_DESCRIBE_STRUCT(LoginRecord, (), (salt, digest, created, changed, reset_required, former))

struct UserRecord {
  std::string name, path, id, arn;
  Time created;
  Permissions permissions;
  Tags tags;
  std::vector<std::string> groups;  // names, in the order of joining
  bool has_login = false;
  LoginRecord login;
};
BOOST_DESCRIBE_STRUCT(UserRecord, (), (name, path, id, arn, created, permissions, tags, groups, has_login, login))

struct GroupRecord {
  std::string name, path, id, arn;
  Time created;
  Permissions permissions;  // a group has no boundary
};
BOOST_DESCRIBE_STRUCT(GroupRecord, (), (name, path, id, arn, created, permissions))

// An OpenID Connect provider; its id in the table is the url without https://.
struct ProviderRecord {
  std::string arn, url;
  std::vector<std::string> client_ids, thumbprints;
  Time created;
  Tags tags;
};
BOOST_DESCRIBE_STRUCT(ProviderRecord, (), (arn, url, client_ids, thumbprints, created, tags))

// A virtual MFA device, by its serial number, which is its ARN.
struct DeviceRecord {
  std::string serial, seed;    // the seed as bytes
  std::string user;            // the name of the user whose device it is; empty with `enabled`: the root user's
  Time created, enabled;       // enabled zero: nobody's
  std::int64_t last_step = 0;  // of the code that was taken last: a code is good once
  Tags tags;
};
BOOST_DESCRIBE_STRUCT(DeviceRecord, (), (serial, seed, user, created, enabled, last_step, tags))

// "Set an account password policy for IAM users".
struct PasswordRules {
  std::int64_t minimum_length = 6;
  bool symbols = false, numbers = false, upper = false, lower = false, users_may_change = false, hard_expiry = false;
  std::int64_t maximum_age_days = 0, reuse_prevention = 0;  // zero: none
};
BOOST_DESCRIBE_STRUCT(PasswordRules, (),
                      (minimum_length, symbols, numbers, upper, lower, users_may_change, hard_expiry, maximum_age_days,
                       reuse_prevention))

// What an account has once, under the id "account".
struct AccountRecord {
  std::string alias;
  bool has_rules = false;
  PasswordRules rules;
  std::string report;  // the credential report, CSV
  Time reported;
};
BOOST_DESCRIBE_STRUCT(AccountRecord, (), (alias, has_rules, rules, report, reported))

struct PolicyVersionRecord {
  std::int64_t number = 1;
  std::string document;
  Time created;
};
BOOST_DESCRIBE_STRUCT(PolicyVersionRecord, (), (number, document, created))

struct PolicyRecord {
  std::string name, path, id, arn, description;
  bool has_description = false;
  Time created, updated;
  std::int64_t default_version = 1;
  std::int64_t last_version = 1;              // numbers are never used again
  std::vector<PolicyVersionRecord> versions;  // oldest first, at most five
  Tags tags;
};
BOOST_DESCRIBE_STRUCT(PolicyRecord, (),
                      (name, path, id, arn, description, has_description, created, updated, default_version,
                       last_version, versions, tags))

struct ProfileRecord {
  std::string name, path, id, arn;
  Time created;
  std::string role;  // its name; empty: none
  Tags tags;
};
BOOST_DESCRIBE_STRUCT(ProfileRecord, (), (name, path, id, arn, created, role, tags))

// Its id in the table is the key's own.
struct AccessKeyRecord {
  std::string id, secret;
  std::string user;  // its name; empty: the account's root user
  bool active = true;
  Time created;
};
BOOST_DESCRIBE_STRUCT(AccessKeyRecord, (), (id, secret, user, active, created))

// What was done last with an access key or by a role's sessions; its id in the table is the key's or the role's own.
struct LastUseRecord {
  Time time;
  std::string service, region;
};
BOOST_DESCRIBE_STRUCT(LastUseRecord, (), (time, service, region))

// What became of the deletion of a service-linked role.
struct DeletionTaskRecord {
  std::string id, role_name;
  std::vector<std::string> resources;  // that still used the role; empty: it is deleted
};
BOOST_DESCRIBE_STRUCT(DeletionTaskRecord, (), (id, role_name, resources))

}  // namespace brume::iam

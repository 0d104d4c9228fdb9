// The policy engine: one pure function from a request and the policies that apply to it to a decision. Follows "Policy
// evaluation logic", "Cross-account policy evaluation logic" and, for the sentences, "Troubleshooting access denied
// error messages". Any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aws/policy/document.h"
#include "aws/policy/keys.h"
#include "aws/request.h"

namespace brume::policy {

// A document as it applies: an attached policy's ARN, an inline policy's name or a resource's ARN, and its text parsed.
struct Attached {
  std::string name;
  // Shared: the same text is attached to many identities and outlives none of the requests that use it.
  std::shared_ptr<const Document> document;
};

struct Question {
  const Principal& principal;
  std::string_view action;    // "s3:GetObject"
  std::string_view resource;  // an ARN, or "*"
  const Keys& keys;
};

struct Policies {
  std::vector<Attached> identity;
  std::vector<Attached> boundary;  // empty: none is set
  bool has_boundary = false;       // true with an empty list: the boundary is gone, nothing is within it
  std::vector<Attached> session;   // with has_session and an empty list nothing is allowed
  bool has_session = false;
  std::vector<Attached> resource;  // the resource's own policy, if it has one
  std::string resource_account;    // who owns the resource; empty: the caller's account
  bool resource_is_trust = false;  // a role's trust policy: it must allow, whatever the identity may do
  // Service control policies, one list per level from the organization's root to the account; every level must allow.
  std::vector<std::vector<Attached>> service_control;
  // Of the VPC endpoint that the request came through. Judged before the rest by whoever gathers them, and kept here
  // for whoever explains: decide() does not look at them.
  std::vector<Attached> endpoint;

  // As new, but for the memory; the second one leaves what the caller has of its own, for whoever assigns it next.
  void clear();
  void clear_but_own();
};

enum class PolicyKind { service_control, resource, identity, boundary, session, endpoint };

struct Match {
  PolicyKind kind;
  const Attached* policy;  // within the Policies given
  std::size_t statement;
  Effect effect;
};

struct Decision {
  bool allowed = false;
  bool explicit_deny = false;
  // The end of AWS's message: "because no identity-based policy allows the s3:GetObject action". Empty when allowed.
  std::string reason;
  std::vector<Match> matches;  // every statement that applied
};

Decision decide(const Question& question, const Policies& policies);

// Whether the statement applies to the request, its principals aside.
bool applies(const Statement& statement, std::string_view lower_action, std::string_view resource, const Keys& keys);

// What a resource-based Allow gives the caller, by how the caller is named.
enum class Grant {
  none,
  delegated,  // the caller's account is named: its own policies decide
  role,       // the caller's role is named: boundary and session policies still limit
  direct      // the caller itself, or everyone: nothing limits but an explicit deny
};
Grant grant_for(const Statement& statement, const Principal& principal);

}  // namespace brume::policy

// A policy document, parsed and compiled: what "IAM JSON policy elements reference" describes. Immutable after parsing,
// so documents are shared between threads and requests.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "aws/policy/conditions.h"
#include "aws/policy/pattern.h"

namespace brume::policy {

// What a document is for decides which elements it must and must not have.
enum class Grammar {
  identity,     // inline and managed policies, boundaries, session policies, SCPs: no principals
  trust,        // a role's trust policy: principals, sts actions, no resources
  resource,     // a resource's policy: principals and resources
  own_resource  // a resource's policy that may leave its one resource out (a repository's)
};

enum class Effect { allow, deny };

struct PrincipalPattern {
  enum class Kind { everyone, account, aws, service, federated };
  Kind kind = Kind::everyone;
  std::string value;  // an account's id for Kind::account, else as written
  bool operator==(const PrincipalPattern&) const = default;
};

struct Statement {
  std::string sid;
  Effect effect = Effect::deny;
  std::vector<PrincipalPattern> principals;  // empty in identity policies
  bool not_principals = false;
  std::vector<Pattern> actions;  // lower case
  bool not_actions = false;
  std::vector<Pattern> resources;  // empty: the resource that holds the policy
  bool not_resources = false;
  std::vector<Condition> conditions;
};

struct Document {
  std::string version = "2008-10-17";  // the default, as AWS says
  std::string id;
  std::vector<Statement> statements;
};

// Why a document is refused: AWS's sentence for the caller, and what it was about for the log.
struct Problem {
  std::string message;
  std::string detail;
};

inline constexpr std::size_t kMaxDepth = 16;               // a limit of our own, far above what a policy can need
inline constexpr std::size_t kMaxDocumentBytes = 131'072;  // policyDocumentType's maximum

std::expected<Document, Problem> parse_document(std::string_view text, Grammar grammar);

// A document's size as IAM's quotas count it: "IAM does not count white space".
std::size_t counted_size(std::string_view text);

}  // namespace brume::policy

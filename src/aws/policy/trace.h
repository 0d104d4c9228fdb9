// Why a statement applied to a request or did not: each of its elements with what it asks for and what the request
// has. For explanations (`brume why`, the policy simulator), never for decisions. Pure functions, any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "aws/policy/evaluation.h"

namespace brume::policy {

struct ElementTrace {
  std::string element;  // "Principal", "Action", "NotResource", "Condition StringEquals aws:SourceIp"
  bool matched = false;
  std::vector<std::string> wanted;  // as the policy says it
  std::vector<std::string> given;   // what the request has; empty: the key is absent
};

struct StatementTrace {
  std::string sid;
  std::size_t index = 0;
  Effect effect = Effect::deny;
  bool applied = false;
  std::vector<ElementTrace> elements;
};

StatementTrace trace(const Statement& statement, std::size_t index, PolicyKind kind, const Question& question);

// The context keys that the document's conditions and variables read, as written where they are conditions, sorted.
std::vector<std::string> context_keys(const Document& document);

// Where each statement stands in the document's text: from its first character to behind its last, lines and columns
// counted from one. Empty for a text that is no policy.
struct TextPosition {
  int line = 1, column = 1;
};
struct TextRange {
  TextPosition start, end;
};
std::vector<TextRange> statement_ranges(std::string_view text);

}  // namespace brume::policy

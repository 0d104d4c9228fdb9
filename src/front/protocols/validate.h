// The constraints of a model against a value: which are broken, in AWS's words. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "front/protocols/scalars.h"

namespace brume::protocols {

struct Violation {
  enum class Kind { missing, too_small, too_large, pattern, enumeration };
  Kind kind = Kind::missing;
  const Member* member = nullptr;  // the member at fault, or the one that holds the value at fault
  std::string path;                // 'attributeDefinitions.1.member.attributeName', as AWS's messages have it
  std::string wire_path;           // "TagSpecification.1.ResourceType", as the query protocols name it
  std::string value;               // as text; empty for a missing one
  std::string constraint;          // "Member must have length less than or equal to 5"
  bool in_body = true;             // as opposed to the query, the URI and headers
};

// All violations in the model's order, at most `limit`.
std::vector<Violation> find_violations(const Type& type, const void* value, std::size_t limit);

// Whether the whole of `text` matches a pattern of the models; true for patterns that cannot be compiled (a few use
// look-ahead). Compiled patterns are kept; thread-safe.
bool matches_pattern(std::string_view pattern, std::string_view text);

// Whether a part of `text` does, as Smithy's patterns are meant; they name the ends themselves where they mean them.
bool contains_pattern(std::string_view pattern, std::string_view text);

// "1 validation error detected: Value '' at 'name' failed to satisfy constraint: Member must not be null", and so on.
std::string validation_message(const std::vector<Violation>& violations);

}  // namespace brume::protocols

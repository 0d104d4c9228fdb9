#include "services/elbv2/request_checks.h"

#include <algorithm>

#include "core/text.h"

namespace brume::elbv2 {

void check_name(std::string_view noun, const std::string& name) {
  const std::string start = std::string(noun) + " name '" + name + "'";
  if (name.empty()) throw validation_error(std::string(noun) + " name cannot be empty");
  if (name.size() > 32) throw validation_error(start + " cannot be longer than '32' characters");
  const bool good = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
  if (!good)
    throw validation_error(start + " can only contain characters that are alphanumeric characters or hyphens(-)");
  if (name.starts_with('-') || name.ends_with('-'))
    throw validation_error(start + " cannot begin or end with a hyphen(-)");
  if (noun == "Load balancer" && name.starts_with("internal-"))
    throw validation_error(start + " cannot begin with 'internal-'");
}

Tags read_tags(const opt<std::vector<Tag>>& tags) {
  Tags result = tags_from(tags.get());
  if (result.size() != tags.get().size()) throw duplicate_tag_keys_exception("A tag key was specified more than once");
  check_tags(result);
  return result;
}

void check_tags(const Tags& tags) {
  if (tags.size() > 50) throw too_many_tags_exception("The maximum number of tags for a resource is 50");
  if (const std::string problem = tag_problem(tags); !problem.empty()) throw validation_error(problem);
}

std::string in_brackets(const std::vector<std::string>& names) { return "[" + join(names, ", ") + "]"; }

}  // namespace brume::elbv2

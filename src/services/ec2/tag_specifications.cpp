#include "services/ec2/tag_specifications.h"

#include "core/text.h"

namespace brume::ec2 {

void check_tags(const Tags& tags) {
  if (tags.size() > 50) {
    throw AwsError("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.");
  }
  for (const auto& [key, value] : tags) {
    if (key.empty()) throw AwsError("InvalidParameterValue", "Tag key cannot be empty");
    if (equals_ignoring_case(std::string_view(key).substr(0, 4), "aws:")) {
      throw AwsError("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use");
    }
    const std::string problem = tag_problem({{key, value}});
    if (!problem.empty()) throw AwsError("InvalidParameterValue", problem);
  }
}

AwsError not_taggable(const std::string& resource_type) {
  return {"InvalidParameterValue", "'" + resource_type + "' is not a valid taggable resource type for this operation."};
}

}  // namespace brume::ec2

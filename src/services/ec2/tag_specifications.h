// Tags given in a create call, and the rules for tags that EC2 words in its own way. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "aws/tags.h"
#include "core/error.h"

namespace brume::ec2 {

// Throws EC2's code for tags that cannot be put.
void check_tags(const Tags& tags);
AwsError not_taggable(const std::string& resource_type);

// The tags for `resource_type` in TagSpecifications; a specification for another type is an error, as on AWS.
template <class Specifications>
Tags tags_for(const Specifications& specifications, std::string_view resource_type) {
  Tags tags;
  for (const auto& specification : specifications) {
    if (specification.resource_type.get() != resource_type) throw not_taggable(specification.resource_type.get());
    for (auto& [key, value] : tags_from(specification.tags.get())) tags[key] = value;
  }
  check_tags(tags);
  return tags;
}

}  // namespace brume::ec2

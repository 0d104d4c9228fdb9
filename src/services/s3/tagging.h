// Tags of buckets and objects: "Categorizing your objects using tags", "Using cost allocation S3 bucket tags". Pure.
#pragma once

#include <string_view>
#include <vector>

#include "aws/tags.h"
#include "services/s3/records.h"

namespace brume::s3 {

inline constexpr std::size_t kObjectTags = 10;
inline constexpr std::size_t kBucketTags = 50;

// From a TagSet. Throws InvalidTag, BadRequest.
Tags parse_tag_set(const std::vector<Tag>& list, std::size_t limit);
// From the x-amz-tagging header: URL query parameters. Throws InvalidArgument, InvalidTag, BadRequest.
Tags parse_tagging_header(std::string_view header);

}  // namespace brume::s3

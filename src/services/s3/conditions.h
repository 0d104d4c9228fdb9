// Conditional requests and ranges: "Add preconditions to S3 operations with conditional requests". Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"
#include "services/s3/records.h"

namespace brume::s3 {

struct ReadConditions {
  opt<std::string> if_match, if_none_match;
  opt<Time> if_modified_since, if_unmodified_since;
};
// Throws PreconditionFailed (412), or NotModified (304) with the headers that go with it. A copy's source answers 412
// to all four.
void check_read_conditions(const ReadConditions& conditions, const ObjectRecord& object, bool copy_source = false);

// `current` is the key's current version, if any. Throws PreconditionFailed, NoSuchKey, NotImplemented.
void check_write_conditions(const opt<std::string>& if_match, const opt<std::string>& if_none_match,
                            const std::optional<ObjectRecord>& current, const std::string& key);

struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};
// The range of a Range header over `total` bytes. Nullopt: the header is to be ignored, as HTTP says of what cannot be
// read and S3 of several ranges. Throws InvalidRange (416) when no byte of it exists.
std::optional<ByteRange> parse_range(std::string_view header, std::uint64_t total);
// The form of x-amz-copy-source-range: both ends, within the source. Throws InvalidArgument.
ByteRange parse_copy_range(std::string_view header, std::uint64_t total);

std::string quoted(std::string_view etag);
AwsError precondition_failed(std::string_view condition);
AwsError no_such_key_error(const std::string& key);

}  // namespace brume::s3

#include "services/s3/tagging.h"

#include <algorithm>

#include "core/text.h"

namespace brume::s3 {
namespace {

std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

AwsError invalid_tag(std::string message, const std::string& key) {
  return AwsError("InvalidTag", std::move(message)).with("TagKey", key);
}

void check(const Tags& tags, std::size_t limit) {
  if (tags.size() > limit) {
    throw AwsError("BadRequest", limit == kObjectTags ? "Object tags cannot be greater than 10"
                                                      : "Bucket tag count cannot be greater than 50");
  }
  for (const auto& [key, value] : tags) {
    if (key.empty() || characters(key) > 128) throw invalid_tag("The TagKey you have provided is invalid", key);
    if (characters(value) > 256) throw invalid_tag("The TagValue you have provided is invalid", key);
    if (to_lower(key).starts_with("aws:")) {
      throw invalid_tag(limit == kObjectTags ? "Your TagKey cannot be prefixed with aws:"
                                             : "System tags cannot be added/updated by requester",
                        key);
    }
  }
}

}  // namespace

Tags parse_tag_set(const std::vector<Tag>& list, std::size_t limit) {
  Tags tags;
  for (const Tag& tag : list) {
    if (!tags.emplace(tag.key.get(), tag.value.get()).second) {
      throw invalid_tag("Cannot provide multiple Tags with the same key", tag.key.get());
    }
  }
  check(tags, limit);
  return tags;
}

Tags parse_tagging_header(std::string_view header) {
  Tags tags;
  const AwsError malformed =
      AwsError("InvalidArgument",
               "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag "
               "name duplicates.")
          .with("ArgumentName", "x-amz-tagging")
          .with("ArgumentValue", std::string(header));
  for (const std::string_view pair : split(header, '&')) {
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    const auto key = percent_decode(pair.substr(0, equals), true);
    const auto value =
        percent_decode(equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1), true);
    if (!key || !value || !tags.emplace(*key, *value).second) throw AwsError(malformed);
  }
  check(tags, kObjectTags);
  return tags;
}

}  // namespace brume::s3

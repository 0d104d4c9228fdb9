#include "services/s3/object_headers.h"

#include <algorithm>

namespace brume::s3 {

void check_metadata(const std::map<std::string, std::string>& metadata) {
  std::size_t size = 0;
  for (const auto& [name, value] : metadata) size += name.size() + value.size();
  if (size > 2048) {
    throw AwsError("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
        .with("Size", std::to_string(size))
        .with("MaxSizeAllowed", "2048");
  }
}

void check_storage_class(const std::string& storage_class) {
  static constexpr std::string_view kClasses[] = {"STANDARD",     "REDUCED_REDUNDANCY",  "STANDARD_IA",
                                                  "ONEZONE_IA",   "INTELLIGENT_TIERING", "GLACIER",
                                                  "DEEP_ARCHIVE", "GLACIER_IR"};
  if (std::ranges::find(kClasses, storage_class) == std::end(kClasses)) {
    throw AwsError("InvalidStorageClass", "The storage class you specified is not valid")
        .with("StorageClassRequested", storage_class);
  }
}

std::string stored_content_encoding(const std::string& content_encoding) {
  std::vector<std::string> kept;
  for (const std::string_view part : split(content_encoding, ',')) {
    if (!trim(part).empty() && !equals_ignoring_case(trim(part), "aws-chunked")) kept.emplace_back(trim(part));
  }
  return join(kept, ",");
}

}  // namespace brume::s3

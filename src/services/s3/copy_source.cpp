#include "services/s3/copy_source.h"

#include "core/text.h"

namespace brume::s3 {
namespace {

AwsError invalid_source(std::string_view header) {
  return AwsError("InvalidArgument", "Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
      .with("ArgumentName", "x-amz-copy-source")
      .with("ArgumentValue", std::string(header));
}

}  // namespace

CopySourceName parse_copy_source(std::string_view header) {
  std::string_view path = header;
  CopySourceName name;
  const std::size_t query = path.find("?versionId=");
  if (query != std::string_view::npos) {
    name.version_id = std::string(path.substr(query + 11));
    path = path.substr(0, query);
  }
  std::optional<std::string> decoded = percent_decode(path);
  if (!decoded) throw invalid_source(header);
  if (decoded->starts_with("arn:")) throw not_served("access points as the source of a copy");
  if (decoded->starts_with('/')) decoded->erase(0, 1);
  const std::size_t slash = decoded->find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == decoded->size()) throw invalid_source(header);
  name.bucket = decoded->substr(0, slash);
  name.key = decoded->substr(slash + 1);
  return name;
}

CopySource require_copy_source(const S3& s3, const Tx& tx, const RequestContext& context, const std::string& header,
                               const opt<std::string>& expected_owner, const ReadConditions& conditions) {
  CopySource source;
  source.name = parse_copy_source(header);
  // A copy may reach into another region's bucket.
  RequestContext anywhere = context;
  anywhere.scope.region.clear();
  source.bucket = &require_bucket(s3, anywhere, source.name.bucket, expected_owner);
  authorize(s3, context, source.name.version_id ? "s3:GetObjectVersion" : "s3:GetObject",
            object_arn(*source.bucket, source.name.key));
  if (source.name.version_id) {
    const auto version = s3.objects.find_version(tx, *source.bucket, source.name.key, *source.name.version_id);
    if (version && version->delete_marker) {
      throw invalid_request(
          "The source of a copy request may not specifically refer to a delete marker by version id.");
    }
  }
  source.object = require_object(s3, tx, context, *source.bucket, source.name.key, source.name.version_id);
  if (source.object.storage_class == "GLACIER" || source.object.storage_class == "DEEP_ARCHIVE") {
    throw invalid_object_state("Operation is not valid for the source object's storage class")
        .with("StorageClass", source.object.storage_class);
  }
  check_read_conditions(conditions, source.object, true);
  return source;
}

}  // namespace brume::s3

// The source of CopyObject and UploadPartCopy: x-amz-copy-source and its conditions. Control thread.
#pragma once

#include <string>
#include <string_view>

#include "services/s3/object_reads.h"

namespace brume::s3 {

struct CopySourceName {
  std::string bucket, key;
  opt<std::string> version_id;
};
// "/bucket/key?versionId=id", percent-encoded. Throws InvalidArgument, NotImplemented for access points.
CopySourceName parse_copy_source(std::string_view header);

struct CopySource {
  const BucketRecord* bucket = nullptr;
  CopySourceName name;
  ObjectRecord object;
};
// Finds the source version and sees to it that the caller may read it.
CopySource require_copy_source(const S3& s3, const Tx& tx, const RequestContext& context, const std::string& header,
                               const opt<std::string>& expected_owner, const ReadConditions& conditions);

template <class Input>
CopySource require_copy_source(const S3& s3, const Tx& tx, const Request<Input>& request) {
  const Input& input = request.input;
  if (input.copy_source_sse_customer_algorithm || input.copy_source_sse_customer_key) {
    throw not_served("encryption with customer-provided keys");
  }
  return require_copy_source(s3, tx, request, input.copy_source.get(), input.expected_source_bucket_owner,
                             {input.copy_source_if_match, input.copy_source_if_none_match,
                              input.copy_source_if_modified_since, input.copy_source_if_unmodified_since});
}

}  // namespace brume::s3

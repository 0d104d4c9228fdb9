// Finding the version that a request names, and telling its metadata: what GetObject, HeadObject and their kin share.
// Control thread.
#pragma once

#include <string>

#include "services/s3/checksums.h"
#include "services/s3/conditions.h"
#include "services/s3/lifecycle.h"
#include "services/s3/requests.h"

namespace brume::s3 {

// Throws NoSuchKey, NoSuchVersion, MethodNotAllowed for a delete marker named by its version; `method` is the
// request's.
ObjectRecord require_object(const S3& s3, const Tx& tx, const RequestContext& context, const BucketRecord& bucket,
                            const std::string& key, const opt<std::string>& version_id, const char* method = "GET");

// The part of the object that a request asks for.
struct Extent {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  bool partial = false;
  std::string part_checksum;  // of the one part asked for
};
// Throws InvalidRange, InvalidPartNumber, InvalidRequest.
Extent requested_extent(const ObjectRecord& object, const opt<std::string>& range, const opt<std::int64_t>& part);

template <class Input>
ReadConditions read_conditions(const Input& input) {
  return {input.if_match, input.if_none_match, input.if_modified_since, input.if_unmodified_since};
}

// The x-amz-expiration header, when a lifecycle rule will expire the object.
template <class Output>
void show_expiration(Output& output, const BucketRecord& bucket, const std::string& key, const ObjectRecord& object) {
  if (const auto expiration = expiration_of(bucket.lifecycle, key, object)) {
    output.expiration = expiration_header(*expiration);
  }
}

template <class Output>
void show_headers(Output& output, const ObjectHeaders& headers) {
  const auto show = [](opt<std::string>& member, const std::string& value) {
    if (!value.empty()) member = value;
  };
  show(output.content_type, headers.content_type);
  show(output.cache_control, headers.cache_control);
  show(output.content_disposition, headers.content_disposition);
  show(output.content_encoding, headers.content_encoding);
  show(output.content_language, headers.content_language);
  show(output.expires, headers.expires);
  show(output.website_redirect_location, headers.website_redirect_location);
  if (!headers.metadata.empty()) output.metadata = headers.metadata;
}

// response-content-type and its kin; only for those who sign. Throws InvalidRequest.
template <class Input, class Output>
void override_headers(const Request<Input>& request, Output& output) {
  const Input& input = request.input;
  const bool any = input.response_content_type || input.response_cache_control || input.response_content_disposition ||
                   input.response_content_encoding || input.response_content_language || input.response_expires;
  if (any && request.principal.kind == Principal::Kind::anonymous) {
    throw invalid_request("Request specific response headers cannot be used for anonymous GET requests.");
  }
  if (input.response_content_type) output.content_type = *input.response_content_type;
  if (input.response_cache_control) output.cache_control = *input.response_cache_control;
  if (input.response_content_disposition) output.content_disposition = *input.response_content_disposition;
  if (input.response_content_encoding) output.content_encoding = *input.response_content_encoding;
  if (input.response_content_language) output.content_language = *input.response_content_language;
  if (input.response_expires) output.expires = http_date(*input.response_expires);
}

// Everything that GetObject and HeadObject say.
template <class Input, class Output>
void show_object(Output& output, const Request<Input>& request, const BucketRecord& bucket, const ObjectRecord& object,
                 const Extent& extent) {
  output.accept_ranges = "bytes";
  output.last_modified = object.last_modified;
  output.content_length = static_cast<std::int64_t>(extent.size);
  output.e_tag = quoted(object.etag);
  output.version_id = shown_version(bucket, object.version_id);
  output.server_side_encryption = "AES256";
  // "Amazon S3 returns this header for all objects except for S3 Standard storage class objects."
  if (object.storage_class != "STANDARD") output.storage_class = object.storage_class;
  if (!object.tags.empty()) output.tag_count = static_cast<std::int64_t>(object.tags.size());
  show_headers(output, object.headers);
  show_expiration(output, bucket, request.input.key.get(), object);
  if (extent.partial && extent.size > 0) {
    output.content_range = "bytes " + std::to_string(extent.offset) + "-" +
                           std::to_string(extent.offset + extent.size - 1) + "/" + std::to_string(object.size);
  }
  if (request.input.part_number && !object.parts.empty()) {
    output.parts_count = static_cast<std::int64_t>(object.parts.size());
  }
  if (request.input.checksum_mode.get() == "ENABLED") {
    // A range has no checksum of its own, and clients would hold the whole object's against it.
    if (!extent.partial || extent.size == object.size) show_checksum(output, object.checksum);
    if (extent.partial && !extent.part_checksum.empty() && extent.size != object.size) {
      show_checksum(output, {object.checksum.algorithm, extent.part_checksum, object.checksum.type});
    }
  }
  override_headers(request, output);
}

}  // namespace brume::s3

// What the requests that make objects say about them: headers, storage class, tags, ACL; and what is refused by name.
#pragma once

#include <string>

#include "core/text.h"
#include "services/s3/acl.h"
#include "services/s3/requests.h"
#include "services/s3/tagging.h"

namespace brume::s3 {

// Throws MetadataTooLarge.
void check_metadata(const std::map<std::string, std::string>& metadata);
// Throws InvalidStorageClass.
void check_storage_class(const std::string& storage_class);
// aws-chunked is the transfer's, not the object's.
std::string stored_content_encoding(const std::string& content_encoding);

template <class Input>
ObjectHeaders object_headers(const Input& input) {
  check_metadata(input.metadata.get());
  ObjectHeaders headers;
  headers.content_type = input.content_type.get().empty() ? "binary/octet-stream" : *input.content_type;
  headers.cache_control = input.cache_control.get();
  headers.content_disposition = input.content_disposition.get();
  headers.content_encoding = stored_content_encoding(input.content_encoding.get());
  headers.content_language = input.content_language.get();
  headers.expires = input.expires.get();
  headers.website_redirect_location = input.website_redirect_location.get();
  headers.metadata = input.metadata.get();
  return headers;
}

// Every object is encrypted with keys of S3 as far as a client can see ("Amazon S3 now automatically encrypts all new
// objects"); other keys are refused.
template <class Input>
void refuse_customer_keys(const Input& input) {
  if (input.sse_customer_algorithm || input.sse_customer_key)
    throw not_served("encryption with customer-provided keys");
}

template <class Input>
void refuse_unserved(const Input& input) {
  refuse_customer_keys(input);
  if (input.server_side_encryption && *input.server_side_encryption != "AES256") {
    throw not_served("the server-side encryption " + *input.server_side_encryption);
  }
  if (input.ssekms_key_id || input.ssekms_encryption_context) throw not_served("server-side encryption with KMS keys");
  if (input.object_lock_mode || input.object_lock_retain_until_date || input.object_lock_legal_hold_status ||
      input.object_lock_event_hold) {
    throw not_served("S3 Object Lock");
  }
}

// Storage class, tags and ACL, with the permissions that the latter two need.
struct ObjectSettings {
  std::string storage_class = "STANDARD";
  Tags tags;
  std::string acl = "private";
};
template <class Input>
ObjectSettings object_settings(const S3& s3, const Request<Input>& request, const BucketRecord& bucket) {
  const auto& input = request.input;
  ObjectSettings settings;
  if (input.storage_class) settings.storage_class = *input.storage_class;
  check_storage_class(settings.storage_class);
  if (input.tagging) {
    authorize(s3, request, "s3:PutObjectTagging", object_arn(bucket, input.key.get()));
    settings.tags = parse_tagging_header(*input.tagging);
  }
  const std::string acl = requested_acl(acl_request(input), bucket, false);
  if (!acl.empty()) {
    authorize(s3, request, "s3:PutObjectAcl", object_arn(bucket, input.key.get()));
    settings.acl = acl;
  }
  return settings;
}

}  // namespace brume::s3

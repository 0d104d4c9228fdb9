// Bucket policies: what may be put, which of them are public ("The meaning of 'public'"), and the document that the
// authorizer is given, into which public ACLs and RestrictPublicBuckets are folded. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "services/s3/records.h"

namespace brume::s3 {

std::string bucket_arn(const BucketRecord& bucket);

// Throws MalformedPolicy.
void validate_bucket_policy(const std::string& document, const BucketRecord& bucket);
// For a document that is valid.
bool is_public_policy(const std::string& document);

// `key` and `object_acl` are of the object that is asked for; both empty for the bucket itself. Empty: no policy.
std::string effective_policy(const BucketRecord& bucket, std::string_view key, std::string_view object_acl);

}  // namespace brume::s3

// Changes of objects that several operations share: deleting by the bucket's versioning, a lifecycle rule's acts.
// Control thread.
#pragma once

#include <string>
#include <string_view>

#include "services/s3/lifecycle.h"
#include "services/s3/s3.h"

namespace brume::s3 {

struct Deletion {
  std::string version_id;  // of the version removed or the delete marker made; empty: none to tell
  bool delete_marker = false;
};

// DeleteObject without a version id: "Deleting object versions from a versioning-enabled bucket" and its siblings.
Deletion delete_current(S3& s3, Tx& tx, const BucketRecord& bucket, std::string_view key);
// With one. Absent versions are no error.
Deletion delete_version(S3& s3, Tx& tx, const BucketRecord& bucket, std::string_view key,
                        const std::string& version_id);

// False when the version is gone or another is current by now.
bool apply_lifecycle_action(S3& s3, Tx& tx, const BucketRecord& bucket, const std::string& key,
                            const LifecycleAction& action);

// Throws InvalidArgument for what no version id can be.
void check_version_id(const std::string& version_id);

}  // namespace brume::s3

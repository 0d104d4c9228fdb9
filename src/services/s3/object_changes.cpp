#include "services/s3/object_changes.h"

#include "core/error.h"

namespace brume::s3 {

void check_version_id(const std::string& version_id) {
  if (version_id == "null" || sequence_of_version(version_id)) return;
  throw AwsError("InvalidArgument", "Invalid version id specified")
      .with("ArgumentName", "versionId")
      .with("ArgumentValue", version_id);
}

Deletion delete_current(S3& s3, Tx& tx, const BucketRecord& bucket, std::string_view key) {
  if (bucket.versioning.empty()) {
    if (const auto current = s3.objects.find_current(tx, bucket, key)) {
      s3.objects.erase_version(tx, bucket, key, *current);
    }
    return {};
  }
  // A marker is made even when the key has no version.
  const Time now = s3.needs.clock.now();
  ObjectRecord marker;
  marker.delete_marker = true;
  marker.last_modified = {now.ms / 1000 * 1000};
  return {s3.objects.put(tx, bucket, key, std::move(marker), now), true};
}

Deletion delete_version(S3& s3, Tx& tx, const BucketRecord& bucket, std::string_view key,
                        const std::string& version_id) {
  check_version_id(version_id);
  const auto version = s3.objects.find_version(tx, bucket, key, version_id);
  if (!version) return {version_id, false};
  s3.objects.erase_version(tx, bucket, key, *version);
  return {version_id, version->delete_marker};
}

bool apply_lifecycle_action(S3& s3, Tx& tx, const BucketRecord& bucket, const std::string& key,
                            const LifecycleAction& action) {
  auto current = s3.objects.find_current(tx, bucket, key);
  if (!current) return false;
  if (action.kind == LifecycleAction::Kind::expire) {
    if (current->sequence != action.sequence) return false;
    delete_current(s3, tx, bucket, key);
    return true;
  }
  auto version =
      current->sequence == action.sequence ? current : s3.objects.find_sequence(tx, bucket, key, action.sequence);
  if (!version) return false;
  if (action.kind == LifecycleAction::Kind::erase) return s3.objects.erase_version(tx, bucket, key, *version);
  version->storage_class = action.storage_class;
  s3.objects.update(tx, bucket, key, *version);
  return true;
}

}  // namespace brume::s3

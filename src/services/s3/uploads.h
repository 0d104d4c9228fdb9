// Multipart uploads that are under way, and their parts. On disk; control thread, the scans of snapshots aside.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/random.h"
#include "services/s3/body_files.h"
#include "services/s3/records.h"
#include "store/keyspace.h"

namespace brume::s3 {

class Uploads {
 public:
  Uploads(Store& store, Random& random, BodyFiles& bodies);

  // Gives the upload its id and keeps it.
  std::string start(Tx& tx, const BucketRecord& bucket, std::string_view key, UploadRecord upload);
  std::optional<UploadRecord> find(const Tx& tx, const BucketRecord& bucket, std::string_view key,
                                   std::string_view upload_id) const;
  // Adds a part, or replaces the one of that number.
  void put_part(Tx& tx, std::string_view upload_id, std::int64_t number, const PartRecord& part);
  // Removes the upload and discards the bodies of its parts.
  void end(Tx& tx, const BucketRecord& bucket, std::string_view key, const std::string& upload_id);

  std::shared_ptr<Snapshot> snapshot() const { return uploads_.snapshot(); }

  // In the order of keys, a key's oldest first; any thread. False stops.
  using VisitUpload = std::function<bool(const std::string& key, UploadRecord upload)>;
  void scan(const Snapshot& snapshot, std::string_view bucket, std::string_view prefix, const VisitUpload& visit) const;
  using VisitPart = std::function<bool(std::int64_t number, PartRecord part)>;
  void scan_parts(const Snapshot& snapshot, std::string_view upload_id, std::int64_t after,
                  const VisitPart& visit) const;

 private:
  Keyspace uploads_, parts_;
  Random& random_;
  BodyFiles& bodies_;
};

}  // namespace brume::s3

// Where a bucket's versions are. The current version of each key, which is all that most requests and listings need, is
// in one keyspace in the order of keys; the noncurrent ones are in another, a key's newest first. Control thread; one
// change of a key in a transaction, the scans of snapshots aside.
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

class ObjectIndex {
 public:
  ObjectIndex(Store& store, Random& random, BodyFiles& bodies);

  // A delete marker counts as current.
  std::optional<ObjectRecord> find_current(const Tx& tx, const BucketRecord& bucket, std::string_view key) const;
  // By version id, "null" included.
  std::optional<ObjectRecord> find_version(const Tx& tx, const BucketRecord& bucket, std::string_view key,
                                           std::string_view version_id) const;

  // A noncurrent one by its sequence.
  std::optional<ObjectRecord> find_sequence(const Tx& tx, const BucketRecord& bucket, std::string_view key,
                                            std::uint64_t sequence) const;

  // Makes `record` the current version, by the rules of the bucket's versioning; sets its version id and adopts its
  // body. Returns the version id.
  std::string put(Tx& tx, const BucketRecord& bucket, std::string_view key, ObjectRecord record, Time now);
  // Replaces a version's record in place: tags, ACL, storage class.
  void update(Tx& tx, const BucketRecord& bucket, std::string_view key, const ObjectRecord& record);
  // Removes one version for good; the newest noncurrent one becomes current. False: there is no such version.
  bool erase_version(Tx& tx, const BucketRecord& bucket, std::string_view key, const ObjectRecord& version);

  bool is_empty(const BucketRecord& bucket) const;

  std::shared_ptr<Snapshot> snapshot() const { return current_.snapshot(); }

  // Over a snapshot, on any thread. Each visit returns false to stop.
  using VisitKey = std::function<bool(const std::string& key, ObjectRecord record)>;
  using VisitVersion = std::function<bool(ObjectRecord record)>;
  struct Range {
    std::string prefix;  // only keys that start with it
    std::string from;    // the first key that may be visited; empty: any
    bool after = false;  // `from` itself is not visited
  };
  void scan_current(const Snapshot& snapshot, const std::string& bucket, const Range& range,
                    const VisitKey& visit) const;
  // Newest first; those older than `below` (0: all).
  void scan_noncurrent(const Snapshot& snapshot, const std::string& bucket, std::string_view key, std::uint64_t below,
                       const VisitVersion& visit) const;

 private:
  void move_to_noncurrent(Tx& tx, const BucketRecord& bucket, std::string_view key, ObjectRecord record, Time now);
  void promote(Tx& tx, const BucketRecord& bucket, std::string_view key, const ObjectRecord& erased);
  Keyspace current_, noncurrent_;
  Random& random_;
  BodyFiles& bodies_;
};

// Opaque ids that carry a sequence: 32 characters for versions, 64 for uploads.
std::string make_sequenced_id(Random& random, std::uint64_t sequence, std::size_t characters);
// Nullopt for what was not made so.
std::optional<std::uint64_t> sequence_of(std::string_view id, std::size_t characters);
std::optional<std::uint64_t> sequence_of_version(std::string_view version_id);
std::uint64_t sequence_at(Time now);

}  // namespace brume::s3

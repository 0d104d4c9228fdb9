#include "services/s3/lifecycle_runner.h"

#include <vector>

#include "core/log.h"
#include "services/s3/lifecycle.h"
#include "services/s3/object_changes.h"
#include "services/s3/s3.h"

namespace brume::s3 {
namespace {

// Keys looked at by one job, and so changes made by one turn of the control thread.
constexpr std::size_t kBatchKeys = 200;

struct DueKey {
  std::string key;
  std::vector<LifecycleAction> actions;
};

struct DueUpload {
  std::string key, upload_id;
};

}  // namespace

struct LifecycleRunner::Batch {
  std::string bucket, incarnation;
  std::vector<DueKey> keys;
  std::string last;  // empty: this was the last batch
};

void LifecycleRunner::start() { run_all(); }

void LifecycleRunner::run_all() {
  const Time now = s3_.needs.clock.now();
  s3_.for_each_bucket([&](const BucketRecord& bucket) {
    if (bucket.lifecycle.empty()) return;
    run_bucket(bucket.name, bucket.incarnation, {});
    abort_uploads(bucket.name, bucket.incarnation);
  });
  s3_.needs.control.at(midnight_after(now + milliseconds(1), 0), [this] { run_all(); });
}

void LifecycleRunner::run_bucket(const std::string& name, const std::string& incarnation, const std::string& after) {
  const BucketRecord* bucket = s3_.find_bucket(name, incarnation);
  if (bucket == nullptr || bucket->lifecycle.empty()) return;
  auto batch = std::make_shared<Batch>(Batch{name, incarnation, {}, {}});
  const auto look = [this, batch, copy = *bucket, after, snapshot = s3_.objects.snapshot(),
                     now = s3_.needs.clock.now()] {
    std::size_t seen = 0;
    s3_.objects.scan_current(*snapshot, copy.name, {{}, after, true}, [&](const std::string& key, ObjectRecord record) {
      std::vector<ObjectRecord> versions{std::move(record)};
      s3_.objects.scan_noncurrent(*snapshot, copy.name, key, 0, [&](ObjectRecord version) {
        versions.push_back(std::move(version));
        return true;
      });
      std::vector<LifecycleAction> actions = due_actions(copy, key, versions, now);
      if (!actions.empty()) batch->keys.push_back({key, std::move(actions)});
      if (++seen < kBatchKeys) return true;
      batch->last = key;
      return false;
    });
  };
  s3_.needs.workers.run(look, [this, batch] {
    apply(*batch);
    if (!batch->last.empty()) run_bucket(batch->bucket, batch->incarnation, batch->last);
  });
}

void LifecycleRunner::apply(const Batch& batch) {
  for (const DueKey& due : batch.keys) {
    for (const LifecycleAction& action : due.actions) {
      const BucketRecord* bucket = s3_.find_bucket(batch.bucket, batch.incarnation);
      if (bucket == nullptr) return;
      try {
        Tx tx(s3_.needs.store);
        if (apply_lifecycle_action(s3_, tx, *bucket, due.key, action)) tx.commit();
      } catch (const StoreError& error) {
        // The next midnight finds it due again.
        log::error("s3", "a lifecycle rule could not be applied: " + error.message);
        return;
      }
    }
  }
}

void LifecycleRunner::abort_uploads(const std::string& name, const std::string& incarnation) {
  const BucketRecord* bucket = s3_.find_bucket(name, incarnation);
  auto due = std::make_shared<std::vector<DueUpload>>();
  const auto look = [this, due, copy = *bucket, snapshot = s3_.uploads.snapshot(), now = s3_.needs.clock.now()] {
    s3_.uploads.scan(*snapshot, copy.name, {}, [&](const std::string& key, const UploadRecord& upload) {
      const auto abort = abort_of(copy.lifecycle, key, upload.initiated);
      if (abort && abort->date <= now) due->push_back({key, upload.upload_id});
      return true;
    });
  };
  s3_.needs.workers.run(look, [this, due, name, incarnation] {
    for (const DueUpload& upload : *due) {
      const BucketRecord* present = s3_.find_bucket(name, incarnation);
      if (present == nullptr) return;
      try {
        Tx tx(s3_.needs.store);
        const bool free = !s3_.completing.contains(upload.upload_id);
        if (!free || !s3_.uploads.find(tx, *present, upload.key, upload.upload_id)) continue;
        s3_.uploads.end(tx, *present, upload.key, upload.upload_id);
        tx.commit();
      } catch (const StoreError& error) {
        log::error("s3", "an upload could not be aborted: " + error.message);
        return;
      }
    }
  });
}

}  // namespace brume::s3

// Amazon S3: buckets, objects with their versions, multipart uploads, and what is configured on buckets. Metadata lives
// in the store, bodies are files. Control thread; what touches files or reads at length runs on workers.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "aws/authorization.h"
#include "aws/paging.h"
#include "core/random.h"
#include "core/runtime.h"
#include "gen/s3.h"
#include "services/s3/body_files.h"
#include "services/s3/cors.h"
#include "services/s3/lifecycle_runner.h"
#include "services/s3/object_index.h"
#include "services/s3/records.h"
#include "services/s3/uploads.h"
#include "store/table.h"

namespace brume::s3 {

struct S3Needs {
  Store& store;
  const Clock& clock;
  Random& random;
  Control& control;
  Workers& workers;
  // Where bodies live; on the file system of the front's spool, since a spooled body is renamed into it.
  std::string directory;
  // Asked for what a request's template cannot say: the source of a copy, versions, tags. Null: everything is allowed.
  const Authorizer* authorizer = nullptr;
  // The front answers preflight requests and adds CORS headers with find_cors(). Until it does, PutBucketCors is
  // refused: a configuration without effect is none.
  bool serves_cors = false;
};

struct S3 final : ResourcePolicies {
  explicit S3(const S3Needs& needs);
  S3(const S3&) = delete;
  S3& operator=(const S3&) = delete;

  // Removes bodies left over by a killed process; lifecycle rules run now and at each midnight UTC.
  void start();

  // Bucket policies with public ACLs folded in, for the authorizer.
  std::optional<Found> find(const std::string& resource_arn) const override;
  // The CORS rules of a bucket, for the front; null: there is no such bucket.
  const std::vector<CORSRule>* find_cors(std::string_view bucket) const;

  const BucketRecord* find_bucket(std::string_view name) const;
  // The same bucket, not one of its name made later.
  const BucketRecord* find_bucket(std::string_view name, const std::string& incarnation) const;
  const BucketRecord& put_bucket(Tx& tx, BucketRecord bucket);
  void erase_bucket(Tx& tx, const std::string& name);
  // In the order of names.
  std::vector<const BucketRecord*> buckets_of(const std::string& account) const;
  template <class Visit>
  void for_each_bucket(Visit&& visit) const {
    buckets_.for_all([&](const Scope&, std::string_view, const BucketRecord& bucket) { visit(bucket); });
  }

  S3Needs needs;
  BodyFiles bodies;
  ObjectIndex objects;
  Uploads uploads;
  PagingTokens tokens;
  LifecycleRunner lifecycle;
  // Uploads whose parts are being put together: they are neither changed nor aborted meanwhile.
  std::set<std::string> completing;

 private:
  Table<BucketRecord> buckets_;
};

}  // namespace brume::s3

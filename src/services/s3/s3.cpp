#include "services/s3/s3.h"

#include "core/error.h"
#include "services/s3/bucket_policy.h"
#include "store/record.h"

namespace brume::s3 {
namespace {

// Bucket names are unique over accounts and regions, so buckets are keyed by their names alone.
const Scope kEverywhere;

}  // namespace

S3::S3(const S3Needs& s3_needs)
    : needs(s3_needs),
      bodies(needs.store, needs.random, needs.workers, needs.directory),
      objects(needs.store, needs.random, bodies),
      uploads(needs.store, needs.random, bodies),
      tokens(PagingTokens::load(needs.store, needs.random)),
      lifecycle(*this),
      buckets_(needs.store, {"s3.bucket", 1}) {}

void S3::start() {
  bodies.sweep();
  lifecycle.start();
}

std::optional<ResourcePolicies::Found> S3::find(const std::string& resource_arn) const {
  const std::optional<Arn> arn = parse_arn(resource_arn);
  if (!arn || arn->service != "s3") return std::nullopt;
  const std::size_t slash = arn->resource.find('/');
  const BucketRecord* bucket = find_bucket(arn->resource.substr(0, slash));
  if (bucket == nullptr) return std::nullopt;
  const std::string key = slash == std::string::npos ? std::string() : arn->resource.substr(slash + 1);
  std::string object_acl;
  if (!key.empty() && bucket->ownership != kOwnerEnforced) {
    const Tx tx(needs.store);
    if (const auto object = objects.find_current(tx, *bucket, key)) object_acl = object->acl;
  }
  return Found{bucket->account, effective_policy(*bucket, key, object_acl)};
}

const std::vector<CORSRule>* S3::find_cors(std::string_view bucket) const {
  const BucketRecord* found = find_bucket(bucket);
  return found == nullptr ? nullptr : &found->cors;
}

const BucketRecord* S3::find_bucket(std::string_view name) const { return buckets_.find(kEverywhere, name); }

const BucketRecord* S3::find_bucket(std::string_view name, const std::string& incarnation) const {
  const BucketRecord* bucket = find_bucket(name);
  return bucket != nullptr && bucket->incarnation == incarnation ? bucket : nullptr;
}

const BucketRecord& S3::put_bucket(Tx& tx, BucketRecord bucket) {
  const std::string name = bucket.name;
  return buckets_.put(tx, kEverywhere, name, std::move(bucket));
}

void S3::erase_bucket(Tx& tx, const std::string& name) { buckets_.erase(tx, kEverywhere, name); }

std::vector<const BucketRecord*> S3::buckets_of(const std::string& account) const {
  return buckets_.select(kEverywhere, [&](const BucketRecord& bucket) { return bucket.account == account; });
}

}  // namespace brume::s3

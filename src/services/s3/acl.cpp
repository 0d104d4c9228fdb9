#include "services/s3/acl.h"

#include <set>
#include <utility>

#include "services/s3/bucket_rules.h"

namespace brume::s3 {
namespace {

constexpr const char* kAllUsers = "http://acs.amazonaws.com/groups/global/AllUsers";

AwsError unserved(const std::string& what) {
  return AwsError("NotImplemented",
                  "Brume serves the canned ACLs private, public-read, public-read-write, bucket-owner-read and "
                  "bucket-owner-full-control, but not " +
                      what + ".",
                  501);
}

// The canned ACL with the same grants.
std::string canned_of(const AccessControlPolicy& policy, const BucketRecord& bucket) {
  std::set<std::string> everyone;
  for (const Grant& grant : policy.grants.get()) {
    const Grantee& grantee = grant.grantee.get();
    const std::string& permission = grant.permission.get();
    if (grantee.id.get() == canonical_user_id(bucket.account) && permission == "FULL_CONTROL") continue;
    if (grantee.uri.get() != kAllUsers) throw unserved("grants to others than the owner and everyone");
    everyone.insert(permission);
  }
  if (everyone.empty()) return "private";
  if (everyone == std::set<std::string>{"READ"}) return "public-read";
  if (everyone == std::set<std::string>{"READ", "WRITE"}) return "public-read-write";
  throw unserved("these grants to everyone");
}

std::string canned_acl(const AclRequest& request, const BucketRecord& bucket) {
  if (request.grant_headers) throw unserved("grants in headers");
  if (request.canned) return *request.canned;
  return request.policy != nullptr ? canned_of(*request.policy, bucket) : std::string();
}

}  // namespace

bool is_public_acl(std::string_view canned) { return canned.starts_with("public-"); }

std::string requested_acl(const AclRequest& request, const BucketRecord& bucket, bool for_bucket) {
  std::string canned = canned_acl(request, bucket);
  if (canned.empty()) return canned;
  if (canned == "authenticated-read" || canned == "aws-exec-read" || canned == "log-delivery-write") {
    throw unserved(canned);
  }
  if (bucket.ownership == kOwnerEnforced) {
    // "Bucket owner enforced": only what says again that the owner has full control.
    const bool full_control =
        canned == "bucket-owner-full-control" || (request.policy != nullptr && canned == "private");
    if (!full_control) throw AwsError("AccessControlListNotSupported", "The bucket does not allow ACLs");
  }
  const PublicAccessBlockConfiguration& block = bucket.public_access_block.get();
  if (is_public_acl(canned) && block.block_public_acls.get()) {
    throw access_denied(
        "Access Denied: public ACLs are prevented by the BlockPublicAcls setting in S3 Block Public Access.");
  }
  if (for_bucket && canned.starts_with("bucket-owner-"))
    return "private";  // "If you specify this ACL when creating a bucket, Amazon S3 ignores it."
  return canned;
}

Owner owner_of(const BucketRecord& bucket) {
  Owner owner;
  owner.id = canonical_user_id(bucket.account);
  return owner;
}

std::vector<Grant> grants_of(const BucketRecord& bucket, std::string_view canned) {
  std::vector<Grant> grants(1);
  Grantee& owner = grants.front().grantee.emplace();
  owner.id = canonical_user_id(bucket.account);
  owner.type = "CanonicalUser";
  grants.front().permission = "FULL_CONTROL";
  if (bucket.ownership == kOwnerEnforced) return grants;
  const auto everyone = [&](const char* permission) {
    Grant grant;
    Grantee& grantee = grant.grantee.emplace();
    grantee.type = "Group";
    grantee.uri = kAllUsers;
    grant.permission = permission;
    grants.push_back(std::move(grant));
  };
  if (is_public_acl(canned)) everyone("READ");
  if (canned == "public-read-write") everyone("WRITE");
  return grants;
}

}  // namespace brume::s3

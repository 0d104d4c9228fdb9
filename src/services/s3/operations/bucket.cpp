// Buckets themselves: create, delete, head, list, locate.
#include "services/s3/bucket_policy.h"
#include "services/s3/bucket_rules.h"
#include "services/s3/object_headers.h"
#include "services/s3/requests.h"

namespace brume::s3 {
namespace {

void refuse_unserved_bucket(const CreateBucketInput& input) {
  if (input.object_lock_enabled_for_bucket.get()) throw not_served("S3 Object Lock");
  const CreateBucketConfiguration& configuration = input.create_bucket_configuration.get();
  if (configuration.location || configuration.bucket || input.bucket.get().ends_with("--x-s3")) {
    throw not_served("directory buckets");
  }
  if (input.bucket_namespace && *input.bucket_namespace != "global") throw not_served("account regional namespaces");
}

// "BucketAlreadyOwnedByYou … in all AWS Regions except us-east-1", where creating one's own bucket again succeeds.
void refuse_taken(const BucketRecord& present, const RequestContext& context) {
  if (present.account != context.scope.account) {
    throw bucket_already_exists(
        "The requested bucket name is not available. The bucket namespace is shared by all users of the system. "
        "Please select a different name and try again.")
        .with("BucketName", present.name);
  }
  if (present.region != "us-east-1" || context.scope.region != "us-east-1") {
    throw bucket_already_owned_by_you(
        "Your previous request to create the named bucket succeeded and you already own it.")
        .with("BucketName", present.name);
  }
}

CreateBucketOutput created(const BucketRecord& bucket) {
  CreateBucketOutput output;
  output.location = bucket.region == "us-east-1"
                        ? "/" + bucket.name
                        : "http://" + bucket.name + ".s3." + std::string(dns_suffix_of(bucket.region)) + "/";
  output.bucket_arn = bucket_arn(bucket);
  return output;
}

}  // namespace

CreateBucketOutput create_bucket(S3& s3, Tx& tx, const Request<CreateBucketInput>& request) {
  const CreateBucketInput& input = request.input;
  refuse_unserved_bucket(input);
  if (!is_valid_bucket_name(input.bucket.get())) {
    throw AwsError("InvalidBucketName", "The specified bucket is not valid.").with("BucketName", input.bucket.get());
  }
  const CreateBucketConfiguration& configuration = input.create_bucket_configuration.get();
  BucketRecord bucket;
  bucket.name = *input.bucket;
  bucket.account = request.scope.account;
  bucket.region = bucket_region(request.scope.region, configuration.location_constraint);
  bucket.incarnation = s3.needs.random.hex(16);
  bucket.created = {request.now.ms / 1000 * 1000};
  bucket.tags = parse_tag_set(configuration.tags.get(), kBucketTags);
  if (const BucketRecord* present = s3.find_bucket(bucket.name)) {
    refuse_taken(*present, request);
    return created(*present);
  }
  if (input.object_ownership) bucket.ownership = *input.object_ownership;
  const AclRequest acl = acl_request(input);
  // The default ACL may be named whatever the ownership is; any other needs ACLs enabled.
  const bool names_default = !acl.grant_headers && acl.canned.value_or("private") == "private";
  if (bucket.ownership == kOwnerEnforced && !names_default) {
    throw AwsError("InvalidBucketAclWithObjectOwnership",
                   "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting");
  }
  // "All new buckets have Block Public Access enabled."
  bucket.public_access_block = PublicAccessBlockConfiguration{true, true, true, true};
  if (!names_default) bucket.acl = requested_acl(acl, bucket, true);
  return created(s3.put_bucket(tx, std::move(bucket)));
}

DeleteBucketOutput delete_bucket(S3& s3, Tx& tx, const Request<DeleteBucketInput>& request) {
  const BucketRecord& bucket = require_bucket(s3, request);
  if (!s3.objects.is_empty(bucket)) {
    throw AwsError("BucketNotEmpty",
                   bucket.versioning.empty() ? "The bucket you tried to delete is not empty"
                                             : "The bucket you tried to delete is not empty. You must delete all "
                                               "versions in the bucket.",
                   409)
        .with("BucketName", bucket.name);
  }
  s3.uploads.scan(*s3.uploads.snapshot(), bucket.name, {}, [&](const std::string& key, const UploadRecord& upload) {
    s3.uploads.end(tx, bucket, key, upload.upload_id);
    return true;
  });
  s3.erase_bucket(tx, std::string(bucket.name));
  return {};
}

HeadBucketOutput head_bucket(S3& s3, Tx&, const Request<HeadBucketInput>& request) {
  const BucketRecord& bucket = require_bucket(s3, request);
  HeadBucketOutput output;
  output.bucket_region = bucket.region;
  output.bucket_arn = bucket_arn(bucket);
  output.access_point_alias = false;
  return output;
}

GetBucketLocationOutput get_bucket_location(S3& s3, Tx&, const Request<GetBucketLocationInput>& request) {
  // Answered by every region's endpoint: it is how clients find the bucket's.
  RequestContext anywhere = request;
  anywhere.scope.region.clear();
  const BucketRecord& bucket = require_bucket(s3, anywhere, request.input.bucket, request.input.expected_bucket_owner);
  GetBucketLocationOutput output;
  if (bucket.region != "us-east-1") output.location_constraint = bucket.region;
  return output;
}

ListBucketsOutput list_buckets(S3& s3, Tx&, const Request<ListBucketsInput>& request) {
  const ListBucketsInput& input = request.input;
  std::vector<const BucketRecord*> found = s3.buckets_of(request.scope.account);
  std::erase_if(found, [&](const BucketRecord* bucket) {
    return !bucket->name.starts_with(input.prefix.get()) ||
           (input.bucket_region && bucket->region != *input.bucket_region);
  });
  ListBucketsOutput output;
  const auto limit = static_cast<std::size_t>(input.max_buckets.value_or(10'000));
  output.continuation_token = cut_page(
      s3.tokens, paging_purpose("s3:ListBuckets", {request.scope.account, {}}, input.prefix.get()),
      input.continuation_token, limit, found, [](const BucketRecord* bucket) { return bucket->name; },
      AwsError("InvalidArgument", "The continuation token provided is incorrect")
          .with("ArgumentName", "continuation-token"));
  std::vector<Bucket>& buckets = output.buckets.ensure();
  for (const BucketRecord* each : found) {
    Bucket bucket;
    bucket.name = each->name;
    bucket.creation_date = each->created;
    bucket.bucket_arn = bucket_arn(*each);
    if (input.max_buckets || input.bucket_region || input.prefix) bucket.bucket_region = each->region;
    buckets.push_back(std::move(bucket));
  }
  output.owner.emplace().id = canonical_user_id(request.scope.account);
  if (input.prefix) output.prefix = *input.prefix;
  return output;
}

}  // namespace brume::s3

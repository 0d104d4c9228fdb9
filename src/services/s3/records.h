// What S3 remembers: buckets (resident), objects, uploads and parts (on disk, in key order). Values.
#pragma once

#include <boost/describe/class.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "aws/tags.h"
#include "core/opt.h"
#include "core/time.h"
#include "gen/s3.h"

namespace brume::s3 {

// Configurations are kept in AWS's own shapes, so that they are read back as they were put.
BOOST_DESCRIBE_STRUCT(Tag, (), (key, value))
BOOST_DESCRIBE_STRUCT(LifecycleExpiration, (), (date, days, expired_object_delete_marker))
BOOST_DESCRIBE_STRUCT(LifecycleRuleAndOperator, (), (prefix, tags, object_size_greater_than, object_size_less_than))
BOOST_DESCRIBE_STRUCT(LifecycleRuleFilter, (), (prefix, tag, object_size_greater_than, object_size_less_than, and_))
BOOST_DESCRIBE_STRUCT(Transition, (), (date, days, storage_class))
BOOST_DESCRIBE_STRUCT(NoncurrentVersionTransition, (), (noncurrent_days, storage_class, newer_noncurrent_versions))
BOOST_DESCRIBE_STRUCT(NoncurrentVersionExpiration, (), (noncurrent_days, newer_noncurrent_versions))
BOOST_DESCRIBE_STRUCT(AbortIncompleteMultipartUpload, (), (days_after_initiation))
BOOST_DESCRIBE_STRUCT(LifecycleRule, (),
                      (expiration, id, prefix, filter, status, transitions, noncurrent_version_transitions,
                       noncurrent_version_expiration, abort_incomplete_multipart_upload))
BOOST_DESCRIBE_STRUCT(CORSRule, (),
                      (id, allowed_headers, allowed_methods, allowed_origins, expose_headers, max_age_seconds))
BOOST_DESCRIBE_STRUCT(PublicAccessBlockConfiguration, (),
                      (block_public_acls, ignore_public_acls, block_public_policy, restrict_public_buckets))
BOOST_DESCRIBE_STRUCT(ServerSideEncryptionByDefault, (), (sse_algorithm, kms_master_key_id))
BOOST_DESCRIBE_STRUCT(BlockedEncryptionTypes, (), (encryption_type))
BOOST_DESCRIBE_STRUCT(ServerSideEncryptionRule, (),
                      (apply_server_side_encryption_by_default, bucket_key_enabled, blocked_encryption_types))

inline constexpr const char* kOwnerEnforced = "BucketOwnerEnforced";

// Key: the name, which is unique over accounts and regions.
struct BucketRecord {
  std::string name, account, region;
  std::string incarnation;  // random: a bucket of the same name made later is another one
  Time created;
  std::string versioning;                  // "", "Enabled" or "Suspended"
  std::string ownership = kOwnerEnforced;  // empty: the controls were deleted
  std::string acl = "private";             // a canned ACL
  std::string policy;                      // the document as it was put
  std::string accelerate;                  // "" or "Suspended"
  Tags tags;
  opt<PublicAccessBlockConfiguration> public_access_block;
  opt<ServerSideEncryptionRule> encryption;  // absent: the default, AES256
  std::vector<CORSRule> cors;
  std::vector<LifecycleRule> lifecycle;
  std::string transition_default_minimum_object_size;
};
BOOST_DESCRIBE_STRUCT(BucketRecord, (),
                      (name, account, region, incarnation, created, versioning, ownership, acl, policy, accelerate,
                       tags, public_access_block, encryption, cors, lifecycle, transition_default_minimum_object_size))

// "Checking object integrity": an algorithm's name, the value as it is shown, FULL_OBJECT or COMPOSITE.
struct StoredChecksum {
  std::string algorithm, value, type;
};
BOOST_DESCRIBE_STRUCT(StoredChecksum, (), (algorithm, value, type))

// The headers that S3 keeps and gives back ("Working with object metadata").
struct ObjectHeaders {
  std::string content_type, cache_control, content_disposition, content_encoding, content_language, expires;
  std::string website_redirect_location;  // told by GetObject; only website endpoints act on it
  std::map<std::string, std::string> metadata;
};
BOOST_DESCRIBE_STRUCT(ObjectHeaders, (),
                      (content_type, cache_control, content_disposition, content_encoding, content_language, expires,
                       website_redirect_location, metadata))

struct ObjectPartRecord {
  std::int64_t number = 0;
  std::uint64_t size = 0;
  std::string checksum;
};
BOOST_DESCRIBE_STRUCT(ObjectPartRecord, (), (number, size, checksum))

// One version of an object, or a delete marker.
struct ObjectRecord {
  std::string version_id;      // "null" when it was put while versioning was not enabled
  std::uint64_t sequence = 0;  // orders a key's versions
  bool delete_marker = false;
  std::uint64_t size = 0;
  std::string etag;  // without quotes
  Time last_modified;
  ObjectHeaders headers;
  Tags tags;
  std::string storage_class = "STANDARD";
  std::string acl = "private";
  std::string body;  // the body file's id; empty: no bytes
  StoredChecksum checksum;
  std::vector<ObjectPartRecord> parts;  // of a multipart upload
  std::string upload_id;                // likewise
  Time noncurrent_since;
  // On the current version: the sequence of the null version among the noncurrent ones; 0: none.
  std::uint64_t noncurrent_null = 0;
};
BOOST_DESCRIBE_STRUCT(ObjectRecord, (),
                      (version_id, sequence, delete_marker, size, etag, last_modified, headers, tags, storage_class,
                       acl, body, checksum, parts, upload_id, noncurrent_since, noncurrent_null))

struct UploadRecord {
  std::string upload_id;
  Time initiated;
  ObjectHeaders headers;
  Tags tags;
  std::string storage_class = "STANDARD";
  std::string acl = "private";
  std::string initiator_arn, initiator_id;
  std::string checksum_algorithm, checksum_type;
  bool checksum_chosen = false;  // by the client; else S3's default
};
BOOST_DESCRIBE_STRUCT(UploadRecord, (),
                      (upload_id, initiated, headers, tags, storage_class, acl, initiator_arn, initiator_id,
                       checksum_algorithm, checksum_type, checksum_chosen))

struct PartRecord {
  std::uint64_t size = 0;
  std::string md5;  // raw
  Time last_modified;
  std::string body;
  std::string checksum;  // raw, of the upload's algorithm
};
BOOST_DESCRIBE_STRUCT(PartRecord, (), (size, md5, last_modified, body, checksum))

}  // namespace brume::s3

// Listings. Each takes a snapshot and reads it on a worker.
#include <algorithm>

#include "core/text.h"
#include "services/s3/acl.h"
#include "services/s3/listing.h"
#include "services/s3/requests.h"

namespace brume::s3 {
namespace {

std::size_t page_limit(const opt<std::int64_t>& asked, const char* name) {
  const std::int64_t limit = asked.value_or(1000);
  if (limit < 0) {
    throw AwsError("InvalidArgument", "Argument " + std::string(name) + " must be an integer between 0 and 2147483647")
        .with("ArgumentName", name)
        .with("ArgumentValue", std::to_string(limit));
  }
  return static_cast<std::size_t>(std::min<std::int64_t>(limit, 1000));
}

// Keys may hold characters that XML 1.0 cannot, which is what encoding-type=url is for.
class Encoder {
 public:
  explicit Encoder(const opt<std::string>& encoding_type) : url_(encoding_type.get() == "url") {
    if (encoding_type && !url_) {
      throw AwsError("InvalidArgument", "Invalid Encoding Method specified in Request")
          .with("ArgumentName", "encoding-type")
          .with("ArgumentValue", *encoding_type);
    }
  }
  std::string operator()(const std::string& text) const { return url_ ? percent_encode(text, true) : text; }

 private:
  bool url_;
};

Object shown_object(const ListedKey& listed, const Encoder& encode, const Owner* owner) {
  Object object;
  object.key = encode(listed.key);
  object.last_modified = listed.record.last_modified;
  object.e_tag = "\"" + listed.record.etag + "\"";
  object.size = static_cast<std::int64_t>(listed.record.size);
  object.storage_class = listed.record.storage_class;
  if (!listed.record.checksum.algorithm.empty()) {
    object.checksum_algorithm = std::vector{listed.record.checksum.algorithm};
    object.checksum_type = listed.record.checksum.type;
  }
  if (owner != nullptr) object.owner = *owner;
  return object;
}

template <class Output>
void show_prefixes(Output& output, const std::vector<std::string>& prefixes, const Encoder& encode) {
  for (const std::string& each : prefixes) {
    CommonPrefix prefix;
    prefix.prefix = encode(each);
    output.common_prefixes.ensure().push_back(std::move(prefix));
  }
}

// What all three listings repeat of the request.
template <class Output, class Input>
void show_query(Output& output, const Input& input, std::size_t limit, const Encoder& encode) {
  output.name = input.bucket;
  output.prefix = encode(input.prefix.get());
  if (input.delimiter && !input.delimiter->empty()) output.delimiter = encode(*input.delimiter);
  output.max_keys = static_cast<std::int64_t>(limit);
  output.encoding_type = input.encoding_type;
}

ObjectVersion shown_version_item(const ListedKey& listed, const Encoder& encode, const Owner& owner) {
  ObjectVersion version;
  version.key = encode(listed.key);
  version.version_id = listed.record.version_id;
  version.is_latest = listed.latest;
  version.last_modified = listed.record.last_modified;
  version.e_tag = "\"" + listed.record.etag + "\"";
  version.size = static_cast<std::int64_t>(listed.record.size);
  version.storage_class = listed.record.storage_class;
  if (!listed.record.checksum.algorithm.empty()) {
    version.checksum_algorithm = std::vector{listed.record.checksum.algorithm};
    version.checksum_type = listed.record.checksum.type;
  }
  version.owner = owner;
  return version;
}

DeleteMarkerEntry shown_marker(const ListedKey& listed, const Encoder& encode, const Owner& owner) {
  DeleteMarkerEntry marker;
  marker.key = encode(listed.key);
  marker.version_id = listed.record.version_id;
  marker.is_latest = listed.latest;
  marker.last_modified = listed.record.last_modified;
  marker.owner = owner;
  return marker;
}

std::string continuation(const S3& s3, const ListObjectsV2Input& input, const std::string& purpose) {
  if (!input.continuation_token) return input.start_after.get();
  const std::optional<std::string> position = s3.tokens.open(purpose, *input.continuation_token);
  if (position) return *position;
  throw AwsError("InvalidArgument", "The continuation token provided is incorrect")
      .with("ArgumentName", "continuation-token")
      .with("ArgumentValue", *input.continuation_token);
}

}  // namespace

void list_objects(S3& s3, Tx&, const Request<ListObjectsInput>& request, Deferred<ListObjectsOutput> deferred) {
  const ListObjectsInput& input = request.input;
  const BucketRecord& bucket = require_bucket(s3, request);
  const Encoder encode(input.encoding_type);
  const ListQuery query{bucket.name,
                        input.prefix.get(),
                        input.delimiter.get(),
                        input.marker.get(),
                        {},
                        page_limit(input.max_keys, "max-keys")};
  answer_from_worker(s3, deferred,
                     [&s3, input, query, encode, owner = owner_of(bucket), snapshot = s3.objects.snapshot()] {
                       const ListPage page = list_keys(s3.objects, *snapshot, query);
                       ListObjectsOutput output;
                       show_query(output, input, query.limit, encode);
                       output.marker = encode(query.after);
                       output.is_truncated = page.truncated;
                       // "This element is returned only if you have the delimiter request parameter specified."
                       if (page.truncated && !query.delimiter.empty()) output.next_marker = encode(page.last);
                       for (const ListedKey& listed : page.items)
                         output.contents.ensure().push_back(shown_object(listed, encode, &owner));
                       show_prefixes(output, page.prefixes, encode);
                       return output;
                     });
}

void list_objects_v2(S3& s3, Tx&, const Request<ListObjectsV2Input>& request, Deferred<ListObjectsV2Output> deferred) {
  const ListObjectsV2Input& input = request.input;
  const BucketRecord& bucket = require_bucket(s3, request);
  const Encoder encode(input.encoding_type);
  const std::string purpose =
      paging_purpose("s3:ListObjectsV2", {bucket.account, bucket.region}, bucket.name + "\n" + input.prefix.get());
  const ListQuery query{bucket.name,
                        input.prefix.get(),
                        input.delimiter.get(),
                        continuation(s3, input, purpose),
                        {},
                        page_limit(input.max_keys, "max-keys")};
  answer_from_worker(s3, deferred,
                     [&s3, input, query, encode, purpose, owner = owner_of(bucket), snapshot = s3.objects.snapshot()] {
                       const ListPage page = list_keys(s3.objects, *snapshot, query);
                       ListObjectsV2Output output;
                       show_query(output, input, query.limit, encode);
                       output.continuation_token = input.continuation_token;
                       if (input.start_after) output.start_after = encode(*input.start_after);
                       output.is_truncated = page.truncated;
                       output.key_count = static_cast<std::int64_t>(page.items.size() + page.prefixes.size());
                       if (page.truncated) output.next_continuation_token = s3.tokens.seal(purpose, page.last);
                       const Owner* shown_owner = input.fetch_owner.get() ? &owner : nullptr;
                       for (const ListedKey& listed : page.items) {
                         output.contents.ensure().push_back(shown_object(listed, encode, shown_owner));
                       }
                       show_prefixes(output, page.prefixes, encode);
                       return output;
                     });
}

void list_object_versions(S3& s3, Tx&, const Request<ListObjectVersionsInput>& request,
                          Deferred<ListObjectVersionsOutput> deferred) {
  const ListObjectVersionsInput& input = request.input;
  const BucketRecord& bucket = require_bucket(s3, request);
  const Encoder encode(input.encoding_type);
  if (input.version_id_marker && !input.version_id_marker->empty() && input.key_marker.get().empty()) {
    throw AwsError("InvalidArgument", "A version-id marker cannot be specified without a key marker.")
        .with("ArgumentName", "version-id-marker")
        .with("ArgumentValue", *input.version_id_marker);
  }
  const ListQuery query{bucket.name,
                        input.prefix.get(),
                        input.delimiter.get(),
                        input.key_marker.get(),
                        input.version_id_marker.get(),
                        page_limit(input.max_keys, "max-keys")};
  answer_from_worker(s3, deferred,
                     [&s3, input, query, encode, owner = owner_of(bucket), snapshot = s3.objects.snapshot()] {
                       const ListPage page = list_versions(s3.objects, *snapshot, query);
                       ListObjectVersionsOutput output;
                       show_query(output, input, query.limit, encode);
                       output.key_marker = encode(query.after);
                       output.version_id_marker = query.after_version;
                       output.is_truncated = page.truncated;
                       if (page.truncated) {
                         output.next_key_marker = encode(page.last);
                         if (!page.last_version.empty()) output.next_version_id_marker = page.last_version;
                       }
                       for (const ListedKey& listed : page.items) {
                         if (listed.record.delete_marker) {
                           output.delete_markers.ensure().push_back(shown_marker(listed, encode, owner));
                         } else {
                           output.versions.ensure().push_back(shown_version_item(listed, encode, owner));
                         }
                       }
                       show_prefixes(output, page.prefixes, encode);
                       return output;
                     });
}

}  // namespace brume::s3

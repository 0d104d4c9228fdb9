#include "services/s3/uploads.h"

#include "services/s3/object_index.h"
#include "store/record.h"

namespace brume::s3 {
namespace {

constexpr std::size_t kUploadIdCharacters = 64;

std::string upload_key(std::string_view bucket, std::string_view key, std::uint64_t sequence) {
  std::string encoded;
  append_key_string(encoded, bucket);
  append_key_string(encoded, key);
  append_key_number(encoded, sequence);
  return encoded;
}

std::string part_key(std::string_view upload_id, std::int64_t number) {
  std::string encoded;
  append_key_string(encoded, upload_id);
  append_key_number(encoded, static_cast<std::uint64_t>(number));
  return encoded;
}

}  // namespace

Uploads::Uploads(Store& store, Random& random, BodyFiles& bodies)
    : uploads_(store, "s3.upload"), parts_(store, "s3.part"), random_(random), bodies_(bodies) {}

std::string Uploads::start(Tx& tx, const BucketRecord& bucket, std::string_view key, UploadRecord upload) {
  // Two uploads of a key in one millisecond differ in the low bits.
  const std::uint64_t sequence = sequence_at(upload.initiated) + random_.below(1 << 20);
  upload.upload_id = make_sequenced_id(random_, sequence, kUploadIdCharacters);
  uploads_.put(tx, upload_key(bucket.name, key, sequence), encode_record(upload));
  return upload.upload_id;
}

std::optional<UploadRecord> Uploads::find(const Tx& tx, const BucketRecord& bucket, std::string_view key,
                                          std::string_view upload_id) const {
  const std::optional<std::uint64_t> sequence = sequence_of(upload_id, kUploadIdCharacters);
  if (!sequence) return std::nullopt;
  const std::optional<std::string> bytes = uploads_.get(tx, upload_key(bucket.name, key, *sequence));
  if (!bytes) return std::nullopt;
  UploadRecord upload = decode_record<UploadRecord>(*bytes);
  if (upload.upload_id != upload_id) return std::nullopt;
  return upload;
}

void Uploads::put_part(Tx& tx, std::string_view upload_id, std::int64_t number, const PartRecord& part) {
  const std::string key = part_key(upload_id, number);
  if (const auto previous = parts_.get(tx, key)) bodies_.discard(tx, decode_record<PartRecord>(*previous).body);
  bodies_.adopt(tx, part.body);
  parts_.put(tx, key, encode_record(part));
}

void Uploads::end(Tx& tx, const BucketRecord& bucket, std::string_view key, const std::string& upload_id) {
  uploads_.erase(tx, upload_key(bucket.name, key, sequence_of(upload_id, kUploadIdCharacters).value_or(0)));
  std::vector<std::string> bodies;
  scan_parts(*parts_.snapshot(), upload_id, 0, [&](std::int64_t number, const PartRecord& part) {
    parts_.erase(tx, part_key(upload_id, number));
    if (!part.body.empty()) bodies.push_back(part.body);
    return true;
  });
  bodies_.discard(tx, std::move(bodies));
}

void Uploads::scan(const Snapshot& snapshot, std::string_view bucket, std::string_view prefix,
                   const VisitUpload& visit) const {
  std::string encoded;
  append_key_string(encoded, bucket);
  const std::size_t bucket_size = encoded.size();
  append_key_string_start(encoded, prefix);
  uploads_.scan_prefix(snapshot, encoded, [&](std::string_view key, std::string_view value) {
    key.remove_prefix(bucket_size);
    return visit(take_key_string(key), decode_record<UploadRecord>(value));
  });
}

void Uploads::scan_parts(const Snapshot& snapshot, std::string_view upload_id, std::int64_t after,
                         const VisitPart& visit) const {
  const std::string until = prefix_end(part_key(upload_id, 0).substr(0, upload_id.size() + 2));
  parts_.scan(snapshot, part_key(upload_id, after + 1), until, [&](std::string_view key, std::string_view value) {
    take_key_string(key);
    return visit(static_cast<std::int64_t>(take_key_number(key)), decode_record<PartRecord>(value));
  });
}

}  // namespace brume::s3

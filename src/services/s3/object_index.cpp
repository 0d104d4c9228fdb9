#include "services/s3/object_index.h"

#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "store/record.h"

namespace brume::s3 {
namespace {

std::string bucket_prefix(std::string_view bucket) {
  std::string key;
  append_key_string(key, bucket);
  return key;
}

std::string object_key(std::string_view bucket, std::string_view key) {
  std::string encoded = bucket_prefix(bucket);
  append_key_string(encoded, key);
  return encoded;
}

std::string version_key(std::string_view bucket, std::string_view key, std::uint64_t sequence) {
  std::string encoded = object_key(bucket, key);
  append_key_number_descending(encoded, sequence);
  return encoded;
}

ObjectRecord decode(std::string_view bytes) { return decode_record<ObjectRecord>(bytes); }

std::optional<ObjectRecord> decode(const std::optional<std::string>& bytes) {
  if (!bytes) return std::nullopt;
  return decode(std::string_view(*bytes));
}

constexpr std::size_t kVersionIdCharacters = 32;

}  // namespace

std::uint64_t sequence_at(Time now) { return static_cast<std::uint64_t>(std::max<std::int64_t>(now.ms, 0)) << 20; }

std::string make_sequenced_id(Random& random, std::uint64_t sequence, std::size_t characters) {
  std::string bytes(characters / 4 * 3, '\0');
  random.fill(bytes.data(), bytes.size());
  std::string head;
  append_key_number(head, sequence);
  std::string id = to_base64(bytes.replace(0, head.size(), head));
  std::ranges::replace(id, '+', '.');
  std::ranges::replace(id, '/', '_');
  return id;
}

std::optional<std::uint64_t> sequence_of(std::string_view id, std::size_t characters) {
  if (id.size() != characters) return std::nullopt;
  std::string text(id);
  if (text.find_first_of("+/=") != std::string::npos) return std::nullopt;
  std::ranges::replace(text, '.', '+');
  std::ranges::replace(text, '_', '/');
  const std::optional<std::string> bytes = from_base64(text);
  if (!bytes) return std::nullopt;
  std::string_view rest = *bytes;
  return take_key_number(rest);
}

std::optional<std::uint64_t> sequence_of_version(std::string_view version_id) {
  return sequence_of(version_id, kVersionIdCharacters);
}

ObjectIndex::ObjectIndex(Store& store, Random& random, BodyFiles& bodies)
    : current_(store, "s3.object"), noncurrent_(store, "s3.version"), random_(random), bodies_(bodies) {}

std::optional<ObjectRecord> ObjectIndex::find_current(const Tx& tx, const BucketRecord& bucket,
                                                      std::string_view key) const {
  return decode(current_.get(tx, object_key(bucket.name, key)));
}

std::optional<ObjectRecord> ObjectIndex::find_version(const Tx& tx, const BucketRecord& bucket, std::string_view key,
                                                      std::string_view version_id) const {
  std::optional<ObjectRecord> current = find_current(tx, bucket, key);
  if (!current || current->version_id == version_id) return current;
  std::uint64_t sequence = current->noncurrent_null;
  if (version_id != "null") sequence = sequence_of_version(version_id).value_or(0);
  if (sequence == 0) return std::nullopt;
  std::optional<ObjectRecord> found = find_sequence(tx, bucket, key, sequence);
  if (found && found->version_id != version_id) return std::nullopt;
  return found;
}

std::optional<ObjectRecord> ObjectIndex::find_sequence(const Tx& tx, const BucketRecord& bucket, std::string_view key,
                                                       std::uint64_t sequence) const {
  return decode(noncurrent_.get(tx, version_key(bucket.name, key, sequence)));
}

void ObjectIndex::move_to_noncurrent(Tx& tx, const BucketRecord& bucket, std::string_view key, ObjectRecord record,
                                     Time now) {
  record.noncurrent_null = 0;
  record.noncurrent_since = now;
  noncurrent_.put(tx, version_key(bucket.name, key, record.sequence), encode_record(record));
}

std::string ObjectIndex::put(Tx& tx, const BucketRecord& bucket, std::string_view key, ObjectRecord record, Time now) {
  const std::optional<ObjectRecord> previous = find_current(tx, bucket, key);
  // Later than any version of the key, even when the cloud's clock was set back.
  record.sequence = std::max(sequence_at(now), previous ? previous->sequence + 1 : 0);
  record.noncurrent_null = 0;
  if (bucket.versioning == "Enabled") {
    record.version_id = make_sequenced_id(random_, record.sequence, kVersionIdCharacters);
    if (previous) {
      record.noncurrent_null = previous->version_id == "null" ? previous->sequence : previous->noncurrent_null;
      move_to_noncurrent(tx, bucket, key, *previous, now);
    }
  } else {
    // There is one null version at most: the new one takes its place wherever it is.
    record.version_id = "null";
    if (previous && previous->version_id == "null") {
      bodies_.discard(tx, previous->body);
    } else if (previous) {
      move_to_noncurrent(tx, bucket, key, *previous, now);
    }
    if (previous && previous->noncurrent_null != 0) {
      const std::string null_key = version_key(bucket.name, key, previous->noncurrent_null);
      if (const auto replaced = decode(noncurrent_.get(tx, null_key))) bodies_.discard(tx, replaced->body);
      noncurrent_.erase(tx, null_key);
    }
  }
  bodies_.adopt(tx, record.body);
  current_.put(tx, object_key(bucket.name, key), encode_record(record));
  return record.version_id;
}

void ObjectIndex::update(Tx& tx, const BucketRecord& bucket, std::string_view key, const ObjectRecord& record) {
  const std::optional<ObjectRecord> current = find_current(tx, bucket, key);
  if (current && current->sequence == record.sequence) {
    current_.put(tx, object_key(bucket.name, key), encode_record(record));
  } else {
    noncurrent_.put(tx, version_key(bucket.name, key, record.sequence), encode_record(record));
  }
}

void ObjectIndex::promote(Tx& tx, const BucketRecord& bucket, std::string_view key, const ObjectRecord& erased) {
  std::optional<ObjectRecord> next;
  scan_noncurrent(*noncurrent_.snapshot(), bucket.name, key, 0, [&](ObjectRecord record) {
    next = std::move(record);
    return false;
  });
  if (!next) {
    current_.erase(tx, object_key(bucket.name, key));
    return;
  }
  noncurrent_.erase(tx, version_key(bucket.name, key, next->sequence));
  next->noncurrent_since = {};
  next->noncurrent_null = next->sequence == erased.noncurrent_null ? 0 : erased.noncurrent_null;
  current_.put(tx, object_key(bucket.name, key), encode_record(*next));
}

bool ObjectIndex::erase_version(Tx& tx, const BucketRecord& bucket, std::string_view key, const ObjectRecord& version) {
  std::optional<ObjectRecord> current = find_current(tx, bucket, key);
  if (!current) return false;
  bodies_.discard(tx, version.body);
  if (current->sequence == version.sequence) {
    promote(tx, bucket, key, *current);
    return true;
  }
  noncurrent_.erase(tx, version_key(bucket.name, key, version.sequence));
  if (current->noncurrent_null == version.sequence) {
    current->noncurrent_null = 0;
    current_.put(tx, object_key(bucket.name, key), encode_record(*current));
  }
  return true;
}

bool ObjectIndex::is_empty(const BucketRecord& bucket) const {
  // A key with versions has a current one.
  bool empty = true;
  current_.scan_prefix(*snapshot(), bucket_prefix(bucket.name), [&](std::string_view, std::string_view) {
    empty = false;
    return false;
  });
  return empty;
}

void ObjectIndex::scan_current(const Snapshot& snapshot, const std::string& bucket, const Range& range,
                               const VisitKey& visit) const {
  const std::string prefix = bucket_prefix(bucket);
  std::string start = prefix;
  append_key_string_start(start, range.prefix);
  const std::string until = prefix_end(start);
  if (!range.from.empty()) {
    std::string from = object_key(bucket, range.from);
    // No key follows another's encoding, so the next one is past it with any byte added.
    if (range.after) from += '\0';
    start = std::max(start, from);
  }
  current_.scan(snapshot, start, until, [&](std::string_view encoded, std::string_view value) {
    encoded.remove_prefix(prefix.size());
    return visit(take_key_string(encoded), decode(value));
  });
}

void ObjectIndex::scan_noncurrent(const Snapshot& snapshot, const std::string& bucket, std::string_view key,
                                  std::uint64_t below, const VisitVersion& visit) const {
  const std::string prefix = object_key(bucket, key);
  std::string from = prefix;
  if (below != 0) append_key_number_descending(from, below - 1);
  noncurrent_.scan(snapshot, from, prefix_end(prefix),
                   [&](std::string_view, std::string_view value) { return visit(decode(value)); });
}

}  // namespace brume::s3

#include "services/cloudtrail/delivery.h"

#include <algorithm>
#include <boost/json.hpp>

#include "core/gzip.h"
#include "core/log.h"
#include "core/text.h"

namespace brume::cloudtrail {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostEvents = 5000;  // of a file

// "2026/03/01" of a moment, a part of every key.
std::string date_path(Time time) {
  const std::string text = iso8601(time);
  return text.substr(0, 4) + "/" + text.substr(5, 2) + "/" + text.substr(8, 2);
}

// PREFIX/AWSLogs/ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/ACCOUNT_CloudTrail_REGION_YYYYMMDDTHHmmZ_UNIQUE.json.gz
// ("CloudTrail log file name format").
std::string log_file_key(const TrailRecord& trail, const std::string& region, Time now, const std::string& unique) {
  return object_prefix(trail) + "CloudTrail/" + region + "/" + date_path(now) + "/" + trail.account + "_CloudTrail_" +
         region + "_" + basic_iso8601(now).substr(0, 13) + "Z_" + unique + ".json.gz";
}

std::string digest_key(const TrailRecord& trail, const std::string& region, Time end) {
  return object_prefix(trail) + "CloudTrail-Digest/" + region + "/" + date_path(end) + "/" + trail.account +
         "_CloudTrail-Digest_" + region + "_" + trail.name + "_" + trail.home_region + "_" + basic_iso8601(end) +
         ".json.gz";
}

std::string log_file_text(const std::vector<PendingEvent>& events) {
  std::string text = "{\"Records\":[";
  for (const PendingEvent& event : events) {
    if (&event != &events.front()) text += ',';
    text += event.json;
  }
  return text + "]}";
}

std::string digest_id(const std::string& trail_arn, const std::string& region) { return trail_arn + " " + region; }

Scope scope_of(const TrailRecord& trail) { return {trail.account, trail.home_region}; }

json::value or_null(const std::string& text) { return text.empty() ? json::value(nullptr) : json::value(text); }

}  // namespace

struct Delivery::File {
  std::string region, key, bytes, hash;
  std::vector<PendingEvent> events;  // oldest first
};

struct Delivery::Batch {
  TrailRecord trail;
  std::vector<File> files;
  std::size_t next = 0;
  bool more = false, failed = false;
};

// The digests of one hour, a region after the other.
struct Delivery::Digest {
  TrailRecord trail;
  Time end;
  std::vector<std::string> regions;
  std::string region;
  std::optional<KeyRecord> made_key;
  KeyRecord key;
  DigestRecord previous;
  std::vector<LogFileRecord> files;
  std::string object_key, bytes, hash, signature;
};

Delivery::Delivery(const DeliveryNeeds& needs, Table<TrailRecord>& trails, EventHistory& history)
    : keys(needs.store, {"cloudtrail.key"}),
      needs_(needs),
      trails_(trails),
      history_(history),
      files_(needs.store, {"cloudtrail.log_file"}),
      digests_(needs.store, {"cloudtrail.digest"}) {}

const TrailRecord* Delivery::find(const std::string& trail_arn) const {
  const std::optional<Arn> arn = parse_arn(trail_arn);
  return arn ? trails_.find({arn->account, arn->region}, arn->resource.substr(arn->resource.find('/') + 1)) : nullptr;
}

void Delivery::change(const std::string& trail_arn, const std::function<void(TrailRecord&)>& change) {
  const TrailRecord* trail = find(trail_arn);
  if (trail == nullptr) return;
  const Scope scope = scope_of(*trail);
  const std::string name = trail->name;
  Tx tx(needs_.store);
  trails_.modify(tx, scope, name, change);
  tx.commit();
}

void Delivery::wake(const std::string& trail_arn) {
  if (!waking_.insert(trail_arn).second) {
    woken_.insert(trail_arn);
    return;
  }
  needs_.control.at(needs_.clock.now() + kDeliveryPeriod, [this, trail_arn] { deliver(trail_arn); });
}

void Delivery::deliver(const std::string& trail_arn) {
  const TrailRecord* trail = find(trail_arn);
  woken_.erase(trail_arn);
  if (trail == nullptr) {
    waking_.erase(trail_arn);
    return;
  }
  auto batch = std::make_shared<Batch>();  // goes to a worker, and then from one put to the next
  batch->trail = *trail;
  const Time now = needs_.clock.now();
  needs_.workers.run(
      [this, batch, now] {
        std::map<std::string, std::vector<PendingEvent>> regions;
        std::vector<PendingEvent> pending = history_.pending(batch->trail.arn, kMostEvents);
        batch->more = pending.size() == kMostEvents;
        for (PendingEvent& event : pending) regions[event.region].push_back(std::move(event));
        for (auto& [region, events] : regions) {
          const std::string text = log_file_text(events);
          batch->files.push_back(
              {.region = region,
               .key = log_file_key(
                   batch->trail, region, now,
                   needs_.random.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 16)),
               .bytes = gzip(text),
               .hash = to_hex(sha256(text)),
               .events = std::move(events)});
        }
      },
      [this, batch] { put_next(batch); });
}

void Delivery::put_next(std::shared_ptr<Batch> batch) {
  if (batch->next == batch->files.size()) return finish(*batch);
  const File& file = batch->files[batch->next];
  needs_.deliveries.put_object(
      scope_of(batch->trail), batch->trail.arn,
      {.bucket = batch->trail.bucket,
       .key = file.key,
       .bytes = file.bytes,
       .content_type = "application/json",
       .content_encoding = "gzip",
       .metadata = {}},
      [this, batch](const Deliveries::Problem& problem) {
        try {
          put_done(batch, problem);
        } catch (const StoreError& error) {
          // A full disk: the events are still listed, and delivered again later.
          log::warning("cloudtrail", "trail " + batch->trail.name + " cannot note a delivery: " + error.message);
          batch->failed = true;
          finish(*batch);
        }
      });
}

void Delivery::put_done(const std::shared_ptr<Batch>& batch, const Deliveries::Problem& problem) {
  const File& put = batch->files[batch->next];
  const Time now = needs_.clock.now();
  if (problem) {
    log::warning("cloudtrail", "trail " + batch->trail.name + " cannot deliver: " + problem.message);
    change(batch->trail.arn, [&](TrailRecord& trail) { trail.delivery_error = problem.code; });
    batch->failed = true;
    return finish(*batch);
  }
  Tx tx(needs_.store);
  history_.delivered(tx, put.events);
  const TrailRecord* trail = find(batch->trail.arn);
  if (trail != nullptr) {
    const TrailRecord kept = *trail;
    trails_.modify(tx, scope_of(kept), kept.name, [&](TrailRecord& record) {
      record.delivered = now;
      record.delivery_error.clear();
    });
    if (kept.validation)
      files_.insert(
          tx, scope_of(kept), put.key,
          {kept.arn, put.region, kept.bucket, put.key, put.hash, put.events.front().time, put.events.back().time});
  }
  tx.commit();
  if (trail != nullptr) put_lines(*trail, put);
  ++batch->next;
  put_next(batch);
}

// One event a line; the stream is ACCOUNT_CloudTrail_REGION ("Sending events to CloudWatch Logs").
void Delivery::put_lines(const TrailRecord& trail, const File& file) {
  if (trail.group_arn.empty()) return;
  std::vector<Deliveries::Line> lines;
  for (const PendingEvent& event : file.events) lines.push_back({event.time, event.json});
  const Deliveries::Problem problem = needs_.deliveries.put_lines(scope_of(trail), trail.role_arn, trail.group_arn,
                                                                  trail.account + "_CloudTrail_" + file.region, lines);
  const Time now = needs_.clock.now();
  change(trail.arn, [&](TrailRecord& record) {
    record.lines_error = problem.code;
    if (!problem) record.lines_delivered = now;
  });
}

void Delivery::finish(const Batch& batch) {
  waking_.erase(batch.trail.arn);
  if (batch.failed) {
    waking_.insert(batch.trail.arn);
    const std::string trail_arn = batch.trail.arn;
    needs_.control.at(needs_.clock.now() + kRetryPeriod, [this, trail_arn] { deliver(trail_arn); });
  } else if (batch.more || woken_.contains(batch.trail.arn)) {
    wake(batch.trail.arn);
  }
}

void Delivery::forget(Tx& tx, const TrailRecord& trail) {
  const Scope scope = scope_of(trail);
  std::vector<std::string> keys_of_files, chains;
  files_.for_each(scope, [&](const LogFileRecord& file) {
    if (file.trail_arn == trail.arn) keys_of_files.push_back(file.key);
  });
  digests_.for_each(scope, [&](const DigestRecord& digest) {
    if (digest.trail_arn == trail.arn) chains.push_back(digest_id(digest.trail_arn, digest.region));
  });
  for (const std::string& key : keys_of_files) files_.erase(tx, scope, key);
  for (const std::string& chain : chains) digests_.erase(tx, scope, chain);
  tx.on_commit([this, arn = trail.arn] { end_digests(arn); });
  history_.forget(tx, trail.arn);
}

// --- Digests.

void Delivery::begin_digests(const std::string& trail_arn) {
  const TrailRecord* trail = find(trail_arn);
  if (trail == nullptr || !trail->logging || !trail->validation) return;
  const DigestRecord* last = digests_.find(scope_of(*trail), digest_id(trail_arn, trail->home_region));
  const Time from = last != nullptr && last->end > trail->started ? last->end : trail->started;
  schedule_digest(trail_arn, from + kDigestPeriod);
}

void Delivery::end_digests(const std::string& trail_arn) {
  const auto timer = digest_timers_.find(trail_arn);
  if (timer == digest_timers_.end()) return;
  needs_.control.cancel(timer->second);
  digest_timers_.erase(timer);
}

void Delivery::schedule_digest(const std::string& trail_arn, Time when) {
  end_digests(trail_arn);
  digest_timers_[trail_arn] = needs_.control.at(when, [this, trail_arn] {
    digest_timers_.erase(trail_arn);
    digest(trail_arn);
  });
}

std::vector<std::string> Delivery::digest_regions(const TrailRecord& trail) const {
  std::set<std::string> regions{trail.home_region};
  files_.for_each(scope_of(trail), [&](const LogFileRecord& file) {
    if (file.trail_arn == trail.arn) regions.insert(file.region);
  });
  digests_.for_each(scope_of(trail), [&](const DigestRecord& digest) {
    if (digest.trail_arn == trail.arn) regions.insert(digest.region);
  });
  return {regions.begin(), regions.end()};
}

void Delivery::digest(const std::string& trail_arn) {
  const TrailRecord* trail = find(trail_arn);
  if (trail == nullptr || !trail->logging || !trail->validation) return;
  auto made = std::make_shared<Digest>();  // goes from region to region, to workers and back
  made->trail = *trail;
  made->end = Time{needs_.clock.now().ms / 1000 * 1000};
  made->regions = digest_regions(*trail);
  schedule_digest(trail_arn, made->end + kDigestPeriod);
  sign_next(std::move(made));
}

// "CloudTrail digest file structure".
std::string Delivery::digest_text(const Digest& made) {
  json::array files;
  Time oldest{}, newest{};
  for (const LogFileRecord& file : made.files) {
    files.push_back(json::object{{"s3Bucket", file.bucket},
                                 {"s3Object", file.key},
                                 {"hashValue", file.hash},
                                 {"hashAlgorithm", "SHA-256"},
                                 {"newestEventTime", iso8601(file.newest)},
                                 {"oldestEventTime", iso8601(file.oldest)}});
    if (oldest == Time{} || file.oldest < oldest) oldest = file.oldest;
    newest = std::max(newest, file.newest);
  }
  const auto time_or_null = [](Time time) {
    return time == Time{} ? json::value(nullptr) : json::value(iso8601(time));
  };
  const DigestRecord& previous = made.previous;
  return json::serialize(json::object{
      {"awsAccountId", made.trail.account},
      {"digestStartTime", iso8601(Time{previous.end.ms / 1000 * 1000})},
      {"digestEndTime", iso8601(made.end)},
      {"digestS3Bucket", made.trail.bucket},
      {"digestS3Object", made.object_key},
      {"digestPublicKeyFingerprint", made.key.fingerprint},
      {"digestSignatureAlgorithm", "SHA256withRSA"},
      {"newestEventTime", time_or_null(newest)},
      {"oldestEventTime", time_or_null(oldest)},
      {"previousDigestS3Bucket", or_null(previous.bucket)},
      {"previousDigestS3Object", or_null(previous.key)},
      {"previousDigestHashValue", or_null(previous.hash)},
      {"previousDigestHashAlgorithm", previous.key.empty() ? json::value(nullptr) : json::value("SHA-256")},
      {"previousDigestSignature", or_null(previous.signature)},
      {"logFiles", std::move(files)}});
}

// The key of a region is made by its first digest.
void Delivery::sign_next(std::shared_ptr<Digest> made) {
  if (made->regions.empty()) {
    const Time end = made->end;
    return change(made->trail.arn, [&](TrailRecord& trail) {
      trail.digested = end;
      trail.digest_error.clear();
    });
  }
  made->region = made->regions.back();
  made->regions.pop_back();
  const Scope scope = scope_of(made->trail);
  const DigestRecord* last = digests_.find(scope, digest_id(made->trail.arn, made->region));
  made->previous = last != nullptr && last->end >= made->trail.started ? *last
                                                                       : DigestRecord{.trail_arn = made->trail.arn,
                                                                                      .region = made->region,
                                                                                      .end = made->trail.started,
                                                                                      .bucket = {},
                                                                                      .key = {},
                                                                                      .hash = {},
                                                                                      .signature = {}};
  made->files.clear();
  files_.for_each(scope, [&](const LogFileRecord& file) {
    if (file.trail_arn == made->trail.arn && file.region == made->region) made->files.push_back(file);
  });
  const KeyRecord* key = keys.find({{}, made->region}, "key");
  made->made_key.reset();
  if (key != nullptr) made->key = *key;
  const bool make_key = key == nullptr;
  needs_.workers.run(
      [made, make_key] {
        if (make_key) made->key = *(made->made_key = make_signing_key(made->end));
        made->object_key = digest_key(made->trail, made->region, made->end);
        const std::string text = digest_text(*made);
        made->bytes = gzip(text);
        made->hash = to_hex(sha256(text));
        // "Manually validating": the end, the path, the hash, the signature before, a line each.
        made->signature = sign(made->key, iso8601(made->end) + "\n" + made->trail.bucket + "/" + made->object_key +
                                              "\n" + made->hash + "\n" +
                                              (made->previous.signature.empty() ? "null" : made->previous.signature));
      },
      [this, made] { put_digest(made); });
}

void Delivery::put_digest(std::shared_ptr<Digest> made) {
  const Scope scope = scope_of(made->trail);
  if (made->made_key) {
    Tx tx(needs_.store);
    keys.put(tx, {{}, made->region}, "key", *made->made_key);
    tx.commit();
  }
  needs_.deliveries.put_object(scope, made->trail.arn,
                               {.bucket = made->trail.bucket,
                                .key = made->object_key,
                                .bytes = made->bytes,
                                .content_type = "application/json",
                                .content_encoding = "gzip",
                                .metadata = {{"signature", made->signature}, {"signature-algorithm", "SHA256withRSA"}}},
                               [this, made, scope](const Deliveries::Problem& problem) {
                                 if (problem)
                                   return change(made->trail.arn,
                                                 [&](TrailRecord& trail) { trail.digest_error = problem.code; });
                                 Tx tx(needs_.store);
                                 for (const LogFileRecord& file : made->files) files_.erase(tx, scope, file.key);
                                 digests_.put(tx, scope, digest_id(made->trail.arn, made->region),
                                              {made->trail.arn, made->region, made->end, made->trail.bucket,
                                               made->object_key, made->hash, made->signature});
                                 tx.commit();
                                 sign_next(made);
                               });
}

}  // namespace brume::cloudtrail

// Carries a trail's events to its bucket and its log group, and proves them with a signed chain of digests ("CloudTrail
// log file integrity validation"). What a trail has yet to deliver lies in the store: nothing is lost with the process.
// Control thread; files are put together on workers.
#pragma once

#include <boost/describe/class.hpp>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/random.h"
#include "core/runtime.h"
#include "services/cloudtrail/event_history.h"
#include "services/cloudtrail/needs.h"
#include "services/cloudtrail/signing_key.h"
#include "services/cloudtrail/trail.h"
#include "store/table.h"

namespace brume::cloudtrail {

// AWS delivers "within an average of about 5 minutes"; whoever rehearses does not want to wait for it.
inline constexpr Duration kDeliveryPeriod = seconds(5);
inline constexpr Duration kRetryPeriod = minutes(1);
inline constexpr Duration kDigestPeriod = hours(1);

// A delivered file that the next digest vouches for.
struct LogFileRecord {
  std::string trail_arn, region, bucket, key, hash;  // of what is inside of the gzip, in hex
  Time oldest, newest;
};
BOOST_DESCRIBE_STRUCT(LogFileRecord, (), (trail_arn, region, bucket, key, hash, oldest, newest))

// The end of a trail's chain of digests in a region.
struct DigestRecord {
  std::string trail_arn, region;
  Time end;
  std::string bucket, key, hash, signature;  // empty: the chain begins
};
BOOST_DESCRIBE_STRUCT(DigestRecord, (), (trail_arn, region, end, bucket, key, hash, signature))

struct DeliveryNeeds {
  Store& store;
  Clock& clock;
  Random& random;
  Control& control;
  Workers& workers;
  Deliveries& deliveries;
};

class Delivery {
 public:
  Delivery(const DeliveryNeeds& needs, Table<TrailRecord>& trails, EventHistory& history);

  // A trail has something to deliver.
  void wake(const std::string& trail_arn);
  // A trail began or stopped to log, or its validation changed: its chain of digests begins or ends.
  void begin_digests(const std::string& trail_arn);
  void end_digests(const std::string& trail_arn);
  void forget(Tx& tx, const TrailRecord& trail);

  Table<KeyRecord> keys;  // by region

 private:
  struct File;
  struct Batch;
  struct Digest;
  const TrailRecord* find(const std::string& trail_arn) const;
  void change(const std::string& trail_arn, const std::function<void(TrailRecord&)>& change);
  void deliver(const std::string& trail_arn);
  void put_next(std::shared_ptr<Batch> batch);
  void put_done(const std::shared_ptr<Batch>& batch, const Deliveries::Problem& problem);
  void put_lines(const TrailRecord& trail, const File& file);
  void finish(const Batch& batch);
  void schedule_digest(const std::string& trail_arn, Time when);
  void digest(const std::string& trail_arn);
  static std::string digest_text(const Digest& digest);
  void sign_next(std::shared_ptr<Digest> digest);
  void put_digest(std::shared_ptr<Digest> digest);
  std::vector<std::string> digest_regions(const TrailRecord& trail) const;

  DeliveryNeeds needs_;
  Table<TrailRecord>& trails_;
  EventHistory& history_;
  Table<LogFileRecord> files_;    // by key
  Table<DigestRecord> digests_;   // by trail ARN and region
  std::set<std::string> waking_;  // trails that deliver now or soon
  std::set<std::string> woken_;   // while they did
  std::map<std::string, Control::TimerId> digest_timers_;
};

}  // namespace brume::cloudtrail

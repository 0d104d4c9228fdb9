// AWS CloudTrail: every request as an event, kept for ninety days and looked up, and trails that deliver events to
// buckets and log groups. Control thread; events are rendered and read on workers.
#pragma once

#include <boost/describe/class.hpp>
#include <functional>
#include <string>
#include <vector>

#include "aws/paging.h"
#include "aws/request.h"
#include "core/random.h"
#include "core/runtime.h"
#include "gen/cloudtrail.h"
#include "services/cloudtrail/delivery.h"
#include "services/cloudtrail/event_history.h"
#include "services/cloudtrail/needs.h"
#include "services/cloudtrail/recorder.h"
#include "services/cloudtrail/trail.h"
#include "store/table.h"

namespace brume::cloudtrail {

struct CloudtrailNeeds {
  Store& store;
  Clock& clock;
  Random& random;
  Control& control;
  Workers& workers;
  Deliveries& deliveries;
};

struct Cloudtrail {
  explicit Cloudtrail(const CloudtrailNeeds& needs);
  Cloudtrail(const Cloudtrail&) = delete;
  Cloudtrail& operator=(const Cloudtrail&) = delete;

  // Trails deliver, and old events go, from now on.
  void start();

  CloudtrailNeeds needs;
  Table<TrailRecord> trails;  // by name, in the account and home region
  EventHistory history;
  Delivery delivery;
  Recorder recorder;
  PagingTokens paging;
};

// A trail by name or ARN, the shadow of another region's included; throws TrailNotFoundException.
const TrailRecord& get_trail(const Cloudtrail& cloudtrail, const Scope& scope, const std::string& name);
// The same for changes, which are made in the trail's own region only.
const TrailRecord& get_home_trail(const Cloudtrail& cloudtrail, const Scope& scope, const std::string& name);
void change_trail(Cloudtrail& cloudtrail, Tx& tx, const TrailRecord& trail,
                  const std::function<void(TrailRecord&)>& change);
// Tells the recorder which trails log.
void publish_trails(Cloudtrail& cloudtrail);

}  // namespace brume::cloudtrail

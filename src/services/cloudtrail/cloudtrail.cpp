#include "services/cloudtrail/cloudtrail.h"

#include <memory>

#include "core/log.h"

namespace brume::cloudtrail {
namespace {

constexpr Duration kSweepPeriod = hours(6);

// Whoever asks from another region than a multi-region trail's own sees its shadow there.
const TrailRecord* find_shadow(const Cloudtrail& cloudtrail, const Scope& scope, const std::string& name) {
  const TrailRecord* found = nullptr;
  cloudtrail.trails.for_all([&](const Scope& home, std::string_view, const TrailRecord& trail) {
    if (home.account == scope.account && trail.name == name && trail.multi_region) found = &trail;
  });
  return found;
}

void sweep(Cloudtrail& cloudtrail) {
  const Time now = cloudtrail.needs.clock.now();
  cloudtrail.needs.workers.run(
      [&cloudtrail, now] {
        try {
          cloudtrail.history.expire(cloudtrail.history.scopes(), now - kHistory);
        } catch (const StoreError& error) {
          log::warning("cloudtrail", "old events stay until the next sweep: " + error.message);  // a full disk
        }
      },
      [&cloudtrail, now] { cloudtrail.needs.control.at(now + kSweepPeriod, [&cloudtrail] { sweep(cloudtrail); }); });
}

}  // namespace

Cloudtrail::Cloudtrail(const CloudtrailNeeds& given)
    : needs(given),
      trails(given.store, {"cloudtrail.trail"}),
      history(given.store),
      delivery({given.store, given.clock, given.random, given.control, given.workers, given.deliveries}, trails,
               history),
      recorder(history, given.clock, given.random, given.control, given.workers,
               [this](const std::vector<std::string>& arns) {
                 for (const std::string& arn : arns) delivery.wake(arn);
               }),
      paging(PagingTokens::load(given.store, given.random)) {
  publish_trails(*this);
}

void Cloudtrail::start() {
  trails.for_all([&](const Scope&, std::string_view, const TrailRecord& trail) {
    delivery.wake(trail.arn);  // what a killed process left
    delivery.begin_digests(trail.arn);
  });
  sweep(*this);
}

void publish_trails(Cloudtrail& cloudtrail) {
  std::vector<TrailRecord> logging;
  cloudtrail.trails.for_all([&](const Scope&, std::string_view, const TrailRecord& trail) {
    if (trail.logging) logging.push_back(trail);
  });
  cloudtrail.recorder.set_trails(std::move(logging));
}

const TrailRecord& get_trail(const Cloudtrail& cloudtrail, const Scope& scope, const std::string& name) {
  const TrailRecord* trail = nullptr;
  if (name.starts_with("arn:")) {
    const std::optional<Arn> arn = parse_arn(name);
    if (!arn || arn->service != "cloudtrail" || !arn->resource.starts_with("trail/"))
      throw cloud_trail_arn_invalid_exception("CloudTrail ARN is invalid: " + name);
    if (arn->account == scope.account)
      trail = cloudtrail.trails.find({arn->account, arn->region}, arn->resource.substr(6));
  } else {
    trail = cloudtrail.trails.find(scope, name);
    if (trail == nullptr) trail = find_shadow(cloudtrail, scope, name);
  }
  if (trail == nullptr)
    throw trail_not_found_exception(
        "Unknown trail: " + (name.starts_with("arn:") ? name : make_arn(scope, "cloudtrail", "trail/" + name)) +
        " for the user: " + scope.account);
  return *trail;
}

const TrailRecord& get_home_trail(const Cloudtrail& cloudtrail, const Scope& scope, const std::string& name) {
  const TrailRecord& trail = get_trail(cloudtrail, scope, name);
  if (trail.home_region != scope.region)
    throw invalid_home_region_exception("Trail " + trail.arn + " must be updated from its home region " +
                                        trail.home_region);
  return trail;
}

void change_trail(Cloudtrail& cloudtrail, Tx& tx, const TrailRecord& trail,
                  const std::function<void(TrailRecord&)>& change) {
  const Scope scope{trail.account, trail.home_region};
  const std::string name = trail.name;
  cloudtrail.trails.modify(tx, scope, name, change);
  tx.on_commit([&cloudtrail] { publish_trails(cloudtrail); });
}

}  // namespace brume::cloudtrail

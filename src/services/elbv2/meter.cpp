#include "services/elbv2/meter.h"

#include "services/elbv2/target_state.h"
#include "services/elbv2/usage.h"

namespace brume::elbv2 {
namespace {

constexpr Duration kPeriod = minutes(1);
constexpr const char* kNamespace = "AWS/ApplicationELB";

// "2XX" for 204.
std::string status_class(int status) { return std::to_string(status / 100) + "XX"; }

}  // namespace

void Meter::start() {
  elbv2_.needs.balancer.on_access([this](const balancer::Balancer::Access& access) { count(access); });
  wake();
}

void Meter::wake() {
  if (is_ticking_ || elbv2_.balancers.size() == 0) return;
  is_ticking_ = true;
  elbv2_.needs.control.at(elbv2_.needs.clock.now() + kPeriod, [this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    is_ticking_ = false;
    flush();
    wake();
  });
}

// Dimension values are the ends of ARNs: "app/NAME/ID", "targetgroup/NAME/ID".
const Meter::Place* Meter::find_place(const std::string& balancer_id) {
  if (const auto known = places_.find(balancer_id); known != places_.end()) return &known->second;
  const Place* found = nullptr;
  elbv2_.balancers.for_all([&](const Scope& scope, std::string_view key, const LoadBalancerRecord& record) {
    if (record.id != balancer_id) return;
    Place& place = places_[balancer_id];
    place.scope = scope;
    place.balancer = {{"LoadBalancer", std::string(key)}};
    for (const std::string& group_key : groups_of(elbv2_, scope, record.key))
      if (const TargetGroupRecord* group = elbv2_.target_groups.find(scope, group_key))
        place.groups[group->id] = {{"LoadBalancer", std::string(key)}, {"TargetGroup", "targetgroup/" + group_key}};
    found = &place;
  });
  return found;
}

void Meter::add(const Place& place, const Dimensions& dimensions, const std::string& name, double value) {
  sums_[{place.scope, dimensions}][name] += value;
}

void Meter::count(const balancer::Balancer::Access& access) {
  const Place* place = find_place(access.balancer);
  if (place != nullptr && !access.group.empty() && !place->groups.contains(access.group)) {
    places_.erase(access.balancer);  // a target group that it uses since a moment ago
    place = find_place(access.balancer);
  }
  if (place == nullptr) return;
  count_for_balancer(*place, access);
  if (const auto group = place->groups.find(access.group); group != place->groups.end())
    count_for_group(*place, group->second, access);
}

void Meter::count_for_balancer(const Place& place, const balancer::Balancer::Access& access) {
  const bool by_target = access.target_status != 0;
  // "Requests that were not routed to a target are not counted."
  if (!access.group.empty()) count_for_group(place, place.balancer, access);
  add(place, place.balancer, "ProcessedBytes", static_cast<double>(access.bytes_in + access.bytes_out));
  if (by_target || access.status < 300) return;
  add(place, place.balancer, "HTTPCode_ELB_" + status_class(access.status) + "_Count", 1);
  if (access.status == 500 || access.status == 502 || access.status == 503 || access.status == 504)
    add(place, place.balancer, "HTTPCode_ELB_" + std::to_string(access.status) + "_Count", 1);
}

void Meter::count_for_group(const Place& place, const Dimensions& dimensions,
                            const balancer::Balancer::Access& access) {
  add(place, dimensions, "RequestCount", 1);
  if (access.target_status == 0) {
    if (access.status == 502 && access.status_text.starts_with('S'))
      add(place, dimensions, "TargetConnectionErrorCount", 1);
    return;
  }
  add(place, dimensions, "HTTPCode_Target_" + status_class(access.target_status) + "_Count", 1);
  // Each response time by itself: its percentiles are asked for.
  elbv2_.needs.metrics.put({.scope = place.scope,
                            .name_space = kNamespace,
                            .name = "TargetResponseTime",
                            .dimensions = dimensions,
                            .value = access.seconds,
                            .unit = "Seconds",
                            .time = Time{access.at_ms}});
}

void Meter::flush() {
  const Time now = elbv2_.needs.clock.now();
  for (const auto& [place, values] : std::exchange(sums_, {}))
    for (const auto& [name, value] : values)
      elbv2_.needs.metrics.put({.scope = place.first,
                                .name_space = kNamespace,
                                .name = name,
                                .dimensions = place.second,
                                .value = value,
                                .unit = name == "ProcessedBytes" ? "Bytes" : "Count",
                                .time = now});
  places_.clear();
  put_host_counts();
}

void Meter::put_host_counts() {
  const Time now = elbv2_.needs.clock.now();
  elbv2_.balancers.for_all([&](const Scope& scope, std::string_view, const LoadBalancerRecord& record) {
    const Place* place = record.deleting ? nullptr : find_place(record.id);
    if (place == nullptr) return;
    for (const std::string& group_key : groups_of(elbv2_, scope, record.key)) {
      const TargetGroupRecord* group = elbv2_.target_groups.find(scope, group_key);
      const auto dimensions = group == nullptr ? place->groups.end() : place->groups.find(group->id);
      if (dimensions == place->groups.end()) continue;
      double healthy = 0, unhealthy = 0;
      for (const TargetRecord* target : targets_of(elbv2_, scope, group_key)) {
        const std::string state = target_state(&record, *target).state;
        if (state == "healthy") ++healthy;
        if (state == "unhealthy") ++unhealthy;
      }
      for (const auto& [name, value] : {std::pair{"HealthyHostCount", healthy}, {"UnHealthyHostCount", unhealthy}})
        elbv2_.needs.metrics.put({.scope = scope,
                                  .name_space = kNamespace,
                                  .name = name,
                                  .dimensions = dimensions->second,
                                  .value = value,
                                  .unit = "Count",
                                  .time = now});
    }
  });
}

}  // namespace brume::elbv2

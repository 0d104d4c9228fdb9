#include "services/elbv2/plan.h"

namespace brume::elbv2 {

std::vector<Step> plan(const DesiredBalancer& desired, const ObservedBalancer& observed) {
  std::vector<Step> steps;
  if (desired.deleting) {
    if (!observed.published.empty()) steps.push_back(Step::unpublish);
    steps.push_back(observed.proxy_removed ? Step::forget : Step::remove_proxy);
    return steps;
  }
  const bool named = observed.published == desired.names;
  // After a restart its proxy still serves: the name answers at once.
  if (!named && observed.published.empty() && desired.state == "active") steps.push_back(Step::publish);
  if (!observed.interfaces_ready) return steps;
  if (observed.served != desired.proxy) {
    steps.push_back(Step::apply);
    return steps;
  }
  // A name never leads to an address where nothing listens, and an interface stays until no name leads to it.
  if (!named && steps.empty()) steps.push_back(Step::publish);
  if (desired.has_leaving_interfaces) steps.push_back(Step::drop_interfaces);
  if (desired.state != "active") steps.push_back(Step::activate);
  return steps;
}

}  // namespace brume::elbv2

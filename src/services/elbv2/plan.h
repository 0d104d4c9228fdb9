// What is to be done next for a load balancer: a pure function of what is desired and what was observed. Steps are done
// in order; the first that waits for a plane ends the turn, and its result is planned upon again.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "planes/balancer/balancer.h"
#include "planes/names/names.h"

namespace brume::elbv2 {

struct DesiredBalancer {
  bool deleting = false;
  std::string state;  // as it is described now
  balancer::LoadBalancer proxy;
  std::vector<names::Record> names;
  bool has_leaving_interfaces = false;
};

struct ObservedBalancer {
  bool interfaces_ready = false;
  std::optional<balancer::LoadBalancer> served;  // what the plane was made equal to in this run; nullopt: not known
  std::vector<names::Record> published;
  bool proxy_removed = false;
};

enum class Step {
  publish,          // its DNS name
  apply,            // make the proxy so; waits
  activate,         // describe it as active
  drop_interfaces,  // of subnets that it was taken from
  unpublish,
  remove_proxy,  // waits
  forget         // its interfaces and its record
};

std::vector<Step> plan(const DesiredBalancer& desired, const ObservedBalancer& observed);

}  // namespace brume::elbv2

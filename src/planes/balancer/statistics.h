// Counting access lines. Internal to the balancer plane.
#pragma once

#include "planes/balancer/balancer.h"

namespace brume::balancer {

inline void add_to(Statistics& statistics, const Balancer::Access& access) {
  ++statistics.requests;
  const bool by_target = access.target_status != 0;
  if (!by_target && access.status >= 500) ++statistics.elb_5xx;
  if (!by_target) return;
  if (access.status >= 500)
    ++statistics.status_5xx;
  else if (access.status >= 400)
    ++statistics.status_4xx;
  else if (access.status >= 300)
    ++statistics.status_3xx;
  else if (access.status >= 200)
    ++statistics.status_2xx;
}

}  // namespace brume::balancer

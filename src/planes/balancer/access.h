// HAProxy's access lines: the format that the configuration asks for and its reading. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "planes/balancer/balancer.h"

namespace brume::balancer {

// As a word of the configuration, quotes included.
std::string access_log_format();
// Nothing for lines that tell of something else (servers going up and down). `seconds` is the time from the request's
// forwarding to the target's response head, as TargetResponseTime; 0 when no target answered. `status_text` is
// HAProxy's termination state ("--" for a request that ended well).
std::optional<Balancer::Access> parse_access(std::string_view line, const std::string& balancer, std::int64_t at_ms);

}  // namespace brume::balancer

// Virtual MFA devices: whose they are, and the codes that they show (RFC 6238: SHA-1, thirty seconds, six digits).
// Control thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/iam/iam.h"

namespace brume::iam {

// The user's enabled devices, by serial number; of root for an empty name.
std::vector<const DeviceRecord*> devices_of(const Iam& iam, const RequestContext& request, std::string_view user);

// The code of a seed at a step, six digits.
std::string device_code(std::string_view seed, std::int64_t step);
// The step at which the device shows the code: now, or one step before or after, and later than `after`.
std::optional<std::int64_t> step_of(std::string_view seed, std::string_view code, Time now, std::int64_t after);
// Bytes in base 32, without padding.
std::string to_base32(std::string_view bytes);

}  // namespace brume::iam

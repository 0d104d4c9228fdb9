// What open_authority builds, with the clock that a test replaces. See names.h for the contract.
#pragma once

#include <memory>
#include <string>

#include "core/time.h"
#include "planes/names/names.h"

namespace brume::names {

// `clock` is read while a certificate is made and must outlive the authority. Throws PlaneError when the directory
// holds a certificate without its key, or files that do not belong together.
std::unique_ptr<Authority> open_authority(const std::string& directory, const Clock& clock);

}  // namespace brume::names

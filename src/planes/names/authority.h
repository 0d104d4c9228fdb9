// What open_authority builds, by another clock than the machine's. See names.h for the contract.
#pragma once

#include <memory>
#include <string>

#include "core/time.h"
#include "planes/names/names.h"

namespace brume::names {

// Certificates are valid by `clock` and by the machine's. It is read while a certificate is made and must outlive the
// authority. Throws PlaneError when the directory holds a certificate without its key, or files that do not belong
// together.
std::unique_ptr<Authority> open_authority(const std::string& directory, const Clock& clock);

}  // namespace brume::names

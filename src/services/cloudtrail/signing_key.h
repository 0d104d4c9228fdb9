// The key pair that signs digests: RSA, as "CloudTrail digest file structure" has it. Pure functions, any thread.
#pragma once

#include <boost/describe/class.hpp>
#include <string>
#include <string_view>

#include "core/time.h"

namespace brume::cloudtrail {

struct KeyRecord {
  std::string private_der;  // PKCS #8
  std::string public_der;   // PKCS #1, as ListPublicKeys gives it
  std::string fingerprint;  // the MD5 of public_der in hex
  Time from;
};
BOOST_DESCRIBE_STRUCT(KeyRecord, (), (private_der, public_der, fingerprint, from))

KeyRecord make_signing_key(Time now);  // takes a tenth of a second
// RSA with SHA-256, in hex.
std::string sign(const KeyRecord& key, std::string_view text);

}  // namespace brume::cloudtrail

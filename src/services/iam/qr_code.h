// What a person scans to put a virtual MFA device on a phone: the URI of its seed, and a picture of it. Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace brume::iam {

// "otpauth://totp/Amazon%20Web%20Services:NAME@ACCOUNT?secret=SEED&issuer=Amazon%20Web%20Services", as authenticators
// read it; the account by its alias when it has one.
std::string provisioning_uri(std::string_view device, std::string_view account, std::string_view base32_seed);

// The text as a QR code (ISO/IEC 18004, level M) with its quiet zone, as a PNG of eight grey bits.
std::string qr_code_png(std::string_view text);

}  // namespace brume::iam

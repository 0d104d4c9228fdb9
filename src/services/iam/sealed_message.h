// A text that only this cloud can read: what EC2 puts behind a denial says more of the policies than the caller may
// know, so "DecodeAuthorizationMessage" needs a permission of its own. Pure functions, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace brume::iam {

// Compressed and encrypted (AES-256-GCM, the key and nonce derived from the secret and the text), in base64.
std::string seal_message(std::string_view secret, std::string_view text);
// nullopt: damaged, forged, or of another secret.
std::optional<std::string> open_message(std::string_view secret, std::string_view sealed);

}  // namespace brume::iam

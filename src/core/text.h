// Encodings and digests: hex, base64, percent encoding, SHA-256 and friends. Pure functions over bytes in strings.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace brume {

std::string to_hex(std::string_view bytes);
std::optional<std::string> from_hex(std::string_view text);
std::string to_base64(std::string_view bytes);
std::optional<std::string> from_base64(std::string_view text);               // padding required, no white space
std::string percent_encode(std::string_view text, bool keep_slash = false);  // RFC 3986 unreserved kept, upper-case hex
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);

std::string sha256(std::string_view bytes);  // 32 raw bytes
std::string sha1(std::string_view bytes);
std::string md5(std::string_view bytes);
std::string hmac_sha256(std::string_view key, std::string_view bytes);
std::uint32_t crc32(std::string_view bytes);
bool equal_in_constant_time(std::string_view a, std::string_view b);

std::string to_lower(std::string_view text);
bool equals_ignoring_case(std::string_view a, std::string_view b);
std::string_view trim(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
bool parse_int(std::string_view text, std::int64_t& out);  // the whole text, decimal

}  // namespace brume

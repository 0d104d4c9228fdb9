// Fuzz target: encodings and moments. What is read is written as it was or as its one canonical form, and read again
// as the same. The first byte is the size of the pieces that digests are fed with.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/digest.h"
#include "core/error.h"
#include "core/text.h"
#include "core/time.h"

namespace brume {
namespace {

void encodings(std::string_view text) {
  BRUME_CHECK(from_hex(to_hex(text)) == text && from_base64(to_base64(text)) == text);
  BRUME_CHECK(percent_decode(percent_encode(text)) == text && percent_decode(percent_encode(text, true)) == text);
  if (const auto bytes = from_base64(text)) BRUME_CHECK(to_base64(*bytes) == text);
  if (const auto bytes = from_hex(text)) BRUME_CHECK(to_hex(*bytes) == to_lower(text));
  if (const auto plain = percent_decode(text, true)) BRUME_CHECK(plain->size() <= text.size());
  std::int64_t number = 0;
  if (parse_int(text, number) && !text.starts_with('0') && !text.starts_with("-0"))
    BRUME_CHECK(std::to_string(number) == text);
  std::vector<std::string> parts;
  for (const std::string_view part : split(text, ',')) parts.emplace_back(part);
  BRUME_CHECK(join(parts, ",") == text);
}

void moments(std::string_view text) {
  Time time, again;
  if (parse_iso8601(text, time)) {
    BRUME_CHECK(parse_iso8601(iso8601(time, true), again) && again == time);
    BRUME_CHECK(parse_http_date(http_date(time), again) && again.seconds() * 1000 <= time.ms + 999);
  }
  // A leap second is written as the second after it.
  if (parse_basic_iso8601(text, time)) BRUME_CHECK(basic_iso8601(time) == text || text.ends_with("60Z"));
  if (parse_http_date(text, time)) BRUME_CHECK(parse_http_date(http_date(time), again) && again == time);
}

void digests(std::string_view text, std::size_t piece) {
  for (const DigestKind kind : {DigestKind::md5, DigestKind::sha1, DigestKind::sha256, DigestKind::crc32,
                                DigestKind::crc32c, DigestKind::crc64nvme}) {
    Digest digest(kind);
    for (std::string_view rest = text; !rest.empty(); rest.remove_prefix(std::min(piece, rest.size())))
      digest.update(rest.substr(0, piece));
    const std::string whole = digest_of(kind, text);
    BRUME_CHECK(digest.finish() == whole);
    if (kind != DigestKind::crc32 && kind != DigestKind::crc32c && kind != DigestKind::crc64nvme) continue;
    const std::size_t cut = std::min(piece, text.size());
    BRUME_CHECK(combine_crc(kind, digest_of(kind, text.substr(0, cut)), digest_of(kind, text.substr(cut)),
                            text.size() - cut) == whole);
  }
}

}  // namespace
}  // namespace brume

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  brume::encodings(text);
  brume::moments(text);
  brume::digests(text, 1 + data[0] % 64U);
  return 0;
}

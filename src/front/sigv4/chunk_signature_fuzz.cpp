// Fuzz target: bodies whose chunks are signed. A body that is signed as "Signature Calculations … Transferring Payload
// in Multiple Chunks" says is accepted however it is cut; changed by one byte, it is accepted only when data and
// trailers stay the same. Two bytes choose the trailers and the pieces, four the change; then comes the last chunk's
// data.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "front/sigv4/verify.h"

namespace brume::sigv4 {
namespace {

const CredentialScope kScope{"20260301", "us-east-1", "s3"};
constexpr std::string_view kTimestamp = "20260301T120000Z";

// The chain of signatures, computed from its description alone.
class Chain {
 public:
  explicit Chain(std::string seed) : previous_(std::move(seed)) {
    std::string key = hmac_sha256("AWS4secret", kScope.date);
    for (const std::string& part : {kScope.region, kScope.service, std::string("aws4_request")})
      key = hmac_sha256(key, part);
    key_ = key;
  }
  std::string next(std::string_view algorithm, const std::string& end) {
    return previous_ = to_hex(hmac_sha256(key_, std::string(algorithm) + "\n" + std::string(kTimestamp) + "\n" +
                                                    kScope.text() + "\n" + previous_ + "\n" + end));
  }
  std::string chunk(std::string_view data) {
    char size[20];
    std::snprintf(size, sizeof size, "%zx", data.size());
    const std::string signature = next("AWS4-HMAC-SHA256-PAYLOAD", to_hex(sha256("")) + "\n" + to_hex(sha256(data)));
    return std::string(size) + ";chunk-signature=" + signature + "\r\n" + std::string(data) +
           (data.empty() ? "" : "\r\n");
  }

 private:
  std::string key_, previous_;
};

struct Result {
  bool accepted = false;
  std::string data;
  Headers trailers;
  bool operator==(const Result&) const = default;
};

Result decode(std::string_view body, std::size_t piece, std::uint64_t length, bool trailers) {
  Verified verified{.principal = {}, .key = derive_key("secret", kScope), .signature = std::string(64, 'a')};
  Claim claim;
  claim.scope = kScope;
  claim.timestamp = kTimestamp;
  http::AwsChunkedDecoder decoder({.verifier = chunk_verifier(verified, claim),
                                   .has_trailers = trailers,
                                   .trailer_names = trailers ? "x-amz-checksum-crc32" : "",
                                   .decoded_length = length});
  Result result;
  for (; !body.empty(); body.remove_prefix(std::min(piece, body.size()))) {
    if (decoder.feed(body.substr(0, piece), result.data)) return {};
    BRUME_CHECK(result.data.size() <= length);
  }
  if (decoder.finish()) return {};
  result.accepted = true;
  result.trailers = decoder.trailers();
  return result;
}

// Every signature in the body: those must not change, whatever else may without a meaning.
std::vector<std::string> signatures_of(std::string_view body) {
  std::vector<std::string> found;
  const std::string lower = to_lower(body);  // a trailer's name may be written in any case
  for (std::size_t at = lower.find("-signature"); at != std::string::npos; at = lower.find("-signature", at + 1))
    found.emplace_back(trim(body.substr(at + 11, 65)));
  return found;
}

}  // namespace
}  // namespace brume::sigv4

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace brume;
  using namespace brume::sigv4;
  if (size < 6) return 0;
  const bool trailers = data[0] % 2 == 1, large_chunk = data[0] % 4 >= 2;
  const std::size_t piece = 1 + data[1] * 37U;
  const std::string last(reinterpret_cast<const char*>(data) + 6, size - 6);
  const std::string first = large_chunk ? std::string(8192, 'x') : "";

  Chain chain(std::string(64, 'a'));
  std::string body;
  if (!first.empty()) body += chain.chunk(first);
  if (!last.empty()) body += chain.chunk(last);
  body += chain.chunk("");
  if (trailers) {
    const std::string line = "x-amz-checksum-crc32:AAAAAA==";
    body += line +
            "\r\nx-amz-trailer-signature:" + chain.next("AWS4-HMAC-SHA256-TRAILER", to_hex(sha256(line + "\n"))) +
            "\r\n";
  }
  body += "\r\n";

  const std::uint64_t length = first.size() + last.size();
  const Result whole = decode(body, body.size(), length, trailers);
  BRUME_CHECK(whole.accepted && whole.data == first + last && whole.trailers.size() == (trailers ? 1U : 0U));
  BRUME_CHECK(decode(body, piece, length, trailers) == whole);
  BRUME_CHECK(!decode(body, body.size(), length + 1, trailers).accepted);

  // The change: a byte at a place from the front or from the back is replaced, removed or put in.
  const std::size_t distance = (data[2] + data[3] * 256U) % body.size();
  const std::size_t at = data[4] % 2 == 0 ? distance : body.size() - 1 - distance;
  std::string changed = body;
  if (data[4] % 8 < 4)
    changed[at] = static_cast<char>(data[5]);
  else if (data[4] % 8 < 6)
    changed.erase(at, 1 + data[5]);
  else
    changed.insert(at, 1, static_cast<char>(data[5]));
  const Result other = decode(changed, piece, length, trailers);
  if (!other.accepted) return 0;
  BRUME_CHECK(other == whole && signatures_of(changed) == signatures_of(body));
  return 0;
}

// Fuzz target: signatures. A request that we sign is accepted; changed by one byte it is accepted only when the change
// means nothing (its canonical form, computed independently, stays the same); and whatever else a client claims without
// the secret is refused. Three bytes choose what is signed and changed, then come the path and query on a line, and
// headers, one a line.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "front/http/head.h"
#include "front/sigv4/presigned_v2.h"
#include "front/sigv4/signer.h"
#include "front/sigv4/test_canonical.h"
#include "front/sigv4/testing.h"
#include "front/sigv4/verify.h"

namespace brume::sigv4 {
namespace {

constexpr Time kNow{1'772'366'400'000};
const SigningKeys kKeys{"AKID", "a secret that no input can know", "token"};

OneKey our_key() {
  OneKey key;
  key.key_id = kKeys.access_key_id;
  key.credential = {.secret = kKeys.secret, .session_token = kKeys.session_token, .principal = {}};
  return key;
}

bool accepted(const SignedRequest& request, Style style, Time now, std::string_view body_hash) {
  const auto claim = read_claim(request, style);
  if (!claim || !*claim) return false;
  const auto payload = read_payload(request, style, (*claim)->presigned);
  if (!payload) return false;
  const bool s3 = style == Style::s3;
  const std::string hash = s3 ? payload->text : std::string(body_hash);
  BRUME_CHECK(canonical_request(request, s3 ? PathRule::s3 : PathRule::others, (*claim)->signed_headers, hash) ==
              reference::canonical_request(request, s3, (*claim)->signed_headers, hash));
  KeyCache cache;
  return verify(request, **claim, {style, s3 ? "s3" : "sts", {}}, hash, now, our_key(), cache).has_value();
}

struct Input {
  UnsignedRequest request;
  bool claims = false;  // it has signature members of its own
};

// The path and query on the first line, and a header on each further one.
Input read(std::string_view text) {
  const std::vector<std::string_view> lines = split(text, '\n');
  const std::size_t mark = lines[0].find('?');
  Input input;
  input.request.path = std::string(lines[0].substr(0, mark));
  if (mark != std::string_view::npos) input.request.query = std::string(lines[0].substr(mark + 1));
  input.claims =
      to_lower(percent_decode(input.request.query).value_or(input.request.query)).find("x-amz-") != std::string::npos;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::size_t colon = lines[i].find(':');
    if (colon == std::string_view::npos) continue;
    const std::string name = to_lower(lines[i].substr(0, colon));
    input.claims = input.claims || name.starts_with("x-amz-") || name == "authorization" || name == "date" ||
                   !http::is_token(name);  // the front door has refused these
    input.request.headers.emplace_back(lines[i].substr(0, colon), trim(lines[i].substr(colon + 1)));
  }
  return input;
}

// Changes one byte of one part. The part is what `part` chooses, a header's value when it is none of the first.
void change(UnsignedRequest& request, Time& now, unsigned part, std::size_t at, char by) {
  std::string* text = nullptr;
  switch (part) {
    case 0:
      text = &request.method;
      break;
    case 1:
      text = &request.path;
      break;
    case 2:
      text = &request.query;
      break;
    case 3:
      now = now + (by % 2 == 0 ? days(8) : Duration{-days(1).ms});
      return;
    default:
      text = &request.headers[(part - 4) % request.headers.size()].second;
  }
  if (text->empty())
    text->push_back(static_cast<char>('a' + (by & 15)));
  else
    (*text)[at % text->size()] = static_cast<char>((*text)[at % text->size()] ^ by);
}

SignedRequest view(const UnsignedRequest& request) {
  return {request.method, request.path, request.query, &request.headers};
}

void sign_and_change(UnsignedRequest request, unsigned choice, unsigned part, unsigned at) {
  const Style style = choice % 2 == 0 ? Style::s3 : Style::query;
  const std::string hash = to_hex(sha256("body"));
  if (!header_of(request.headers, "host").data()) request.headers.emplace_back("Host", "h");
  const bool presigned = choice / 2 % 2 == 0;
  if (presigned)
    presign(request, kKeys, "us-east-1", style == Style::s3 ? "s3" : "sts", 3600, kNow);
  else
    sign(request, kKeys, "us-east-1", style == Style::s3 ? "s3" : "sts", hash, kNow);
  const std::string body_hash = presigned ? to_hex(sha256("")) : hash;
  BRUME_CHECK(accepted(view(request), style, kNow, body_hash));
  // The body's hash is signed; S3 compares it with the body elsewhere.
  if (style != Style::s3) BRUME_CHECK(!accepted(view(request), style, kNow, to_hex(sha256("another"))));

  UnsignedRequest changed = request;
  Time now = kNow;
  change(changed, now, part % 16, at, static_cast<char>(1 + choice / 4));
  if (!accepted(view(changed), style, now, body_hash)) return;
  BRUME_CHECK(now == kNow);
  const auto claim = read_claim(view(request), style), claim_now = read_claim(view(changed), style);
  BRUME_CHECK((*claim)->signature == (*claim_now)->signature && (*claim)->scope == (*claim_now)->scope);
  const bool s3 = style == Style::s3;
  BRUME_CHECK(reference::canonical_request(view(request), s3, (*claim)->signed_headers, hash) ==
              reference::canonical_request(view(changed), s3, (*claim_now)->signed_headers, hash));
}

}  // namespace
}  // namespace brume::sigv4

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace brume;
  using namespace brume::sigv4;
  if (size < 3) return 0;
  const Input input = read({reinterpret_cast<const char*>(data) + 3, size - 3});
  const SignedRequest request = view(input.request);
  static_cast<void>(peek_scope(request));
  for (const Style style : {Style::query, Style::ec2, Style::json, Style::rest_json, Style::s3})
    BRUME_CHECK(!accepted(request, style, kNow, ""));
  if (is_presigned_v2(request)) BRUME_CHECK(!verify_presigned_v2(request, request.path, {}, kNow, OneKey()));
  if (!input.claims) sign_and_change(input.request, data[0], data[1], data[2]);
  return 0;
}

// Whatever headers and queries a client sends: reading a signature does not crash, and nothing is accepted that was not
// signed with the secret.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "core/text.h"
#include "front/sigv4/presigned_v2.h"
#include "front/sigv4/verify.h"

namespace brume::sigv4 {
namespace {

class OneKey final : public Credentials {
 public:
  std::optional<Credential> find(std::string_view access_key_id) const override {
    if (access_key_id != "AKID") return std::nullopt;
    return Credential{.secret = "a secret that no input can know", .session_token = {}, .principal = {}};
  }
};

void try_style(const SignedRequest& request, Style style, Time now) {
  const auto claim = read_claim(request, style);
  if (!claim || !*claim) return;
  const auto payload = read_payload(request, style, (*claim)->presigned);
  if (!payload) return;
  KeyCache cache;
  const std::string_view service = style == Style::s3 ? "s3" : "sts";
  if (verify(request, **claim, {style, service, {}}, payload->text, now, OneKey(), cache)) std::abort();
}

}  // namespace
}  // namespace brume::sigv4

// The input is a path and query on the first line and a header on each further one.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace brume;
  using namespace brume::sigv4;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::vector<std::string_view> lines = split(text, '\n');
  const std::size_t mark = lines[0].find('?');
  Headers headers;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::size_t colon = lines[i].find(':');
    if (colon != std::string_view::npos)
      headers.emplace_back(lines[i].substr(0, colon), trim(lines[i].substr(colon + 1)));
  }
  const SignedRequest request{"GET", lines[0].substr(0, mark),
                              mark == std::string_view::npos ? std::string_view() : lines[0].substr(mark + 1),
                              &headers};
  const Time now{1'772'366'400'000};
  static_cast<void>(peek_scope(request));
  for (const Style style : {Style::query, Style::ec2, Style::json, Style::rest_json, Style::s3})
    try_style(request, style, now);
  if (is_presigned_v2(request) && verify_presigned_v2(request, request.path, {}, now, OneKey())) std::abort();
  return 0;
}

// Fuzz target: a policy document of any grammar, read and then asked. It must neither crash nor hang, and a document
// that denies everything must never allow.
#include <cstdint>
#include <string_view>

#include "aws/policy/evaluation.h"
#include "core/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace brume;
  using namespace brume::policy;
  if (size < 2) return 0;
  const auto grammar = static_cast<Grammar>(data[0] % 4);
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  auto document = parse_document(text, grammar);
  if (!document) return 0;
  Principal user;
  user.kind = Principal::Kind::user;
  user.account = "111111111111";
  user.arn = "arn:aws:iam::111111111111:user/alice";
  user.id = "AIDAALICE00000000000";
  Keys keys;
  keys.add("aws:username", "alice");
  keys.add("aws:SourceIp", "10.0.0.1");
  keys.add("aws:CurrentTime", "2026-03-01T12:00:00Z");
  keys.add("aws:TagKeys", "a");
  keys.add("aws:TagKeys", "b");
  const Question question{user, "s3:GetObject", "arn:aws:s3:::bucket/a:b", keys};
  const Attached attached{"fuzz", std::make_shared<const Document>(std::move(*document))};
  Policies policies;
  (grammar == Grammar::identity ? policies.identity : policies.resource).push_back(attached);
  const Decision decision = decide(question, policies);
  BRUME_CHECK(decision.allowed == decision.reason.empty());
  BRUME_CHECK(!(decision.allowed && decision.explicit_deny));
  static const auto deny_all = parse_document(
      R"({"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}})", Grammar::identity);
  policies.identity.push_back({"deny", std::make_shared<const Document>(*deny_all)});
  BRUME_CHECK(decide(question, policies).explicit_deny);
  return 0;
}

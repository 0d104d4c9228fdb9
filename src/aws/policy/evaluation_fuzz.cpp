// Fuzz target: policies. The first byte chooses. Below 128: the rest is a document of some grammar, which is read and
// asked; one that adds a denial never allows more, and what is accepted is JSON. From 128 on: the rest chooses a small
// world of policies, about which the engine and the slow reference agree.
#include <cstdint>
#include <cstring>
#include <string_view>

#include "aws/policy/evaluation.h"
#include "aws/policy/test_worlds.h"
#include "core/error.h"

namespace brume::policy {
namespace {

// The input's bytes in the place of chance, one a choice.
class Chosen final : public Random {
 public:
  explicit Chosen(std::string_view bytes) : bytes_(bytes) {}
  void fill(void* data, std::size_t size) override {
    std::uint64_t value = std::uint64_t{1} << 32U;  // Random::below() throws small values away
    if (!bytes_.empty()) {
      value += static_cast<unsigned char>(bytes_.front());
      bytes_.remove_prefix(1);
    }
    BRUME_CHECK(size == sizeof value);
    std::memcpy(data, &value, size);
  }

 private:
  std::string_view bytes_;
};

void compare_with_reference(std::string_view choices) {
  Chosen chosen(choices);
  reference::World world = worlds::random_world(chosen);
  const Decision decision = worlds::by_engine(world);
  const reference::Answer answer = reference::evaluate(world);
  BRUME_CHECK(decision.allowed == answer.allowed && decision.explicit_deny == answer.denied);
  BRUME_CHECK(decision.allowed == decision.reason.empty());
}

Document parsed(std::string_view text) {
  auto document = parse_document(text, Grammar::identity);
  BRUME_CHECK(document.has_value());
  return *document;
}

void ask(std::string_view text, Grammar grammar) {
  auto document = parse_document(text, grammar);
  if (!document) {
    BRUME_CHECK(!document.error().message.empty());
    return;
  }
  boost::system::error_code error;
  boost::json::parse({text.data(), text.size()}, error, {}, {.max_depth = 64});
  BRUME_CHECK(!error);
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
  const Decision alone = decide(question, policies);
  BRUME_CHECK(alone.allowed == alone.reason.empty() && !(alone.allowed && alone.explicit_deny));
  // More permissions: never less, and a denial stays. A boundary that allows nothing, and a denial: never more.
  static const auto allow_all = std::make_shared<const Document>(
      parsed(R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}})"));
  static const auto deny_all = std::make_shared<const Document>(
      parsed(R"({"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}})"));
  Policies more = policies, limited = policies, denied = policies;
  more.identity.push_back({"allow", allow_all});
  BRUME_CHECK(decide(question, more).allowed == !alone.explicit_deny);
  limited.has_boundary = true;
  BRUME_CHECK(!decide(question, limited).allowed || alone.allowed);
  denied.identity.push_back({"deny", deny_all});
  BRUME_CHECK(decide(question, denied).explicit_deny);
}

}  // namespace
}  // namespace brume::policy

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace brume::policy;
  if (size < 2) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data + 1), size - 1);
  if (data[0] >= 128)
    compare_with_reference(rest);
  else
    ask(rest, static_cast<Grammar>(data[0] % 4));
  return 0;
}

#include "aws/paging.h"

#include "core/random.h"
#include "core/text.h"
#include "store/store.h"

namespace brume {

namespace {

constexpr std::string_view kSecretKey = "meta/paging-secret";
constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kMacBytes = 16;

// The purpose's length goes first, so that no purpose and position can be read as another pair.
std::string mac(std::string_view secret, std::string_view purpose, std::string_view position) {
  std::string text = std::to_string(purpose.size()) + ":";
  text.append(purpose).append(position);
  return hmac_sha256(secret, text).substr(0, kMacBytes);
}

}  // namespace

PagingTokens PagingTokens::load(Store& store, Random& random) {
  if (std::optional<std::string> secret = store.get(kSecretKey)) return PagingTokens(std::move(*secret));
  std::string secret(kSecretBytes, '\0');
  random.fill(secret.data(), secret.size());
  store.write({.changes = {{.key = std::string(kSecretKey), .value = secret}}});
  return PagingTokens(std::move(secret));
}

std::string PagingTokens::seal(std::string_view purpose, std::string_view position) const {
  return to_base64(mac(secret_, purpose, position).append(position));
}

std::optional<std::string> PagingTokens::open(std::string_view purpose, std::string_view token) const {
  const std::optional<std::string> bytes = from_base64(token);
  if (!bytes || bytes->size() < kMacBytes) return std::nullopt;
  std::string position = bytes->substr(kMacBytes);
  if (!equal_in_constant_time(std::string_view(*bytes).substr(0, kMacBytes), mac(secret_, purpose, position))) {
    return std::nullopt;
  }
  return position;
}

std::string page_start(const PagingTokens& tokens, std::string_view purpose, const opt<std::string>& token,
                       const AwsError& invalid_token) {
  if (!token || token->empty()) return {};
  std::optional<std::string> position = tokens.open(purpose, *token);
  if (!position) throw AwsError(invalid_token);
  return *std::move(position);
}

std::string paging_purpose(std::string_view operation, const Scope& scope, std::string_view rest) {
  std::string purpose(operation);
  purpose.append("/").append(scope.account).append("/").append(scope.region).append("/").append(rest);
  return purpose;
}

}  // namespace brume

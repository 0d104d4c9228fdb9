#include "services/sts/key_ring.h"

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <utility>

#include "core/scope.h"
#include "core/text.h"

namespace brume::sts {
namespace {

constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::string_view kRootSecret = "test";
constexpr std::string_view kDefaultAccount = "000000000000";

bool is_account_id(std::string_view text) {
  return text.size() == 12 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

Credential root_of(std::string_view account, std::string_view access_key_id) {
  Credential credential;
  credential.secret = std::string(kRootSecret);
  Principal& principal = credential.principal;
  principal.kind = Principal::Kind::root;
  principal.account = std::string(account);
  principal.id = principal.account;
  principal.arn = make_global_arn({principal.account, ""}, "iam", "root");
  principal.access_key_id = std::string(access_key_id);
  return credential;
}

}  // namespace

std::optional<Credential> KeyRing::find(std::string_view access_key_id) const {
  if (access_key_id == "test") return root_of(kDefaultAccount, access_key_id);
  if (is_account_id(access_key_id)) return root_of(access_key_id, access_key_id);
  const std::shared_lock lock(mutex_);
  const auto found = issued_.find(access_key_id);
  if (found == issued_.end()) return std::nullopt;
  return found->second;
}

void KeyRing::put(const std::string& access_key_id, Credential credential) {
  const std::unique_lock lock(mutex_);
  issued_.insert_or_assign(access_key_id, std::move(credential));
}

void KeyRing::remove(const std::string& access_key_id) {
  const std::unique_lock lock(mutex_);
  issued_.erase(access_key_id);
}

std::size_t KeyRing::size() const {
  const std::shared_lock lock(mutex_);
  return issued_.size();
}

// Eighty bits: a set bit, forty of the account, then random ones.
std::string new_access_key_id(std::string_view prefix, std::string_view account, Random& random) {
  std::int64_t number = 0;
  parse_int(account, number);
  const std::uint64_t head =
      (std::uint64_t{1} << 47) | (static_cast<std::uint64_t>(number) << 7) | (random.next() & 0x7F);
  std::string id(prefix);
  // Nine characters are the head's first 45 bits; the tenth has its last three.
  for (int shift = 43; shift >= 3; shift -= 5) id += kBase32[(head >> shift) & 31];
  id += kBase32[((head & 7) << 2) | random.below(4)];
  return id + random.from(kBase32, 6);
}

std::string account_of_access_key(std::string_view access_key_id) {
  if (access_key_id == "test") return std::string(kDefaultAccount);
  if (is_account_id(access_key_id)) return std::string(access_key_id);
  if (access_key_id.size() != 20) return {};
  std::uint64_t bits = 0;
  for (char c : access_key_id.substr(4, 10)) {
    const std::size_t digit = kBase32.find(c);
    if (digit == std::string_view::npos) return {};
    bits = (bits << 5) | digit;
  }
  const std::uint64_t head = bits >> 2;
  // Ids from before AWS put the account in start with a clear bit.
  if ((head >> 47) == 0) return {};
  const std::string digits = std::to_string((head >> 7) & 0xFF'FFFF'FFFF);
  if (digits.size() > 12) return {};
  return std::string(12 - digits.size(), '0') + digits;
}

}  // namespace brume::sts

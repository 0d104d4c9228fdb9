// Paging tokens: opaque to clients, authenticated, bound to what they were given for. And the helper that cuts a page
// out of a resident list. A token names the last key that was given, so that what is made or deleted between two pages
// neither repeats nor hides a neighbour. Immutable after construction: any thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/opt.h"
#include "core/scope.h"

namespace brume {

class Random;
class Store;

class PagingTokens {
 public:
  explicit PagingTokens(std::string secret) : secret_(std::move(secret)) {}
  // With the store's secret, which is made at the first start.
  static PagingTokens load(Store& store, Random& random);

  // `purpose` says what the token is good for (see paging_purpose); it is bound, not carried.
  std::string seal(std::string_view purpose, std::string_view position) const;
  // The position, or nullopt for a token that is forged, damaged or was given for something else.
  std::optional<std::string> open(std::string_view purpose, std::string_view token) const;

 private:
  std::string secret_;
};

// "ec2:DescribeVpcs" for an account in a region; `rest` is whatever else the pages depend on.
std::string paging_purpose(std::string_view operation, const Scope& scope, std::string_view rest = {});

// The key after which the token's page begins; empty for a listing's start. A bad token throws `invalid_token`. For
// tables that can begin there: one reads `limit` and one more items from it and lets end_page cut them.
std::string page_start(const PagingTokens& tokens, std::string_view purpose, const opt<std::string>& token,
                       const AwsError& invalid_token);

// Keeps `limit` of the items that follow a page's start. Returns the token of the next page, or nothing at the end.
template <class Item, class KeyOf>
opt<std::string> end_page(const PagingTokens& tokens, std::string_view purpose, std::size_t limit,
                          std::vector<Item>& items, const KeyOf& key_of) {
  if (items.size() <= limit || limit == 0) return kNothing;
  items.erase(items.begin() + static_cast<std::ptrdiff_t>(limit), items.end());
  return tokens.seal(purpose, std::string(key_of(items.back())));
}

// Cuts `items`, whose keys (`key_of(item)`, convertible to std::string) ascend strictly, to the `limit` items after the
// token's position. Returns the token of the next page, or nothing at the end. A bad token throws `invalid_token`.
template <class Item, class KeyOf>
opt<std::string> cut_page(const PagingTokens& tokens, std::string_view purpose, const opt<std::string>& token,
                          std::size_t limit, std::vector<Item>& items, const KeyOf& key_of,
                          const AwsError& invalid_token) {
  if (const std::string start = page_start(tokens, purpose, token, invalid_token); !start.empty()) {
    const auto first = std::partition_point(items.begin(), items.end(),
                                            [&](const Item& item) { return std::string(key_of(item)) <= start; });
    items.erase(items.begin(), first);
  }
  return end_page(tokens, purpose, limit, items, key_of);
}

}  // namespace brume

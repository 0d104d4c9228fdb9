// Fuzz target: paging tokens. A token opens for what it was given for and nothing else, whatever a client makes of it;
// pages cut with them give every item once. The input is a purpose, a position and a forged token, a line each.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "aws/paging.h"
#include "core/error.h"
#include "core/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace brume;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<std::string_view> lines = split(text, '\n');
  lines.resize(std::max<std::size_t>(lines.size(), 3));
  static const PagingTokens tokens("a secret of thirty-two characters");
  static const PagingTokens others("a secret of thirty-two characters of another cloud");

  const std::string token = tokens.seal(lines[0], lines[1]);
  const auto opened = tokens.open(lines[0], token);
  BRUME_CHECK(opened && *opened == lines[1]);
  BRUME_CHECK(!others.open(lines[0], token));
  BRUME_CHECK(!tokens.open(std::string(lines[0]) + "x", token));
  // The boundary between purpose and position cannot be moved.
  if (!lines[1].empty()) {
    const std::string moved = to_base64(from_base64(token)->erase(16, 1));
    BRUME_CHECK(!tokens.open(std::string(lines[0]) + std::string(lines[1].substr(0, 1)), moved));
  }
  // A token of the client's own making: never valid, unless it is the very one.
  if (const auto forged = tokens.open(lines[0], lines[2])) BRUME_CHECK(lines[2] == tokens.seal(lines[0], *forged));
  BRUME_CHECK(!tokens.open(lines[0], lines[2]) || lines[2] == token);
  std::string changed = token;
  if (size > 0) changed[data[0] % changed.size()] = static_cast<char>(data[size - 1]);
  if (changed != token) BRUME_CHECK(!tokens.open(lines[0], changed));

  std::vector<std::string> all, seen;
  for (std::size_t i = 0; i < size % 23; ++i)
    all.push_back(std::string(1, static_cast<char>('a' + i)) + "/" + std::string(lines[1]));
  opt<std::string> next;
  const AwsError invalid("InvalidNextToken", "");
  for (std::size_t page = 0; page < 30; ++page) {
    std::vector<std::string> items = all;
    next = cut_page(tokens, "p", next, 1 + size % 5, items, [](const std::string& item) { return item; }, invalid);
    seen.insert(seen.end(), items.begin(), items.end());
    if (!next) break;
  }
  BRUME_CHECK(seen == all);
  return 0;
}

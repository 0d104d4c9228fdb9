#include "core/gzip.h"

#include <gtest/gtest.h>

namespace brume {
namespace {

GzipProblem problem(std::string_view packed, std::size_t limit) {
  const auto text = gunzip(packed, limit);
  EXPECT_FALSE(text);
  return text ? GzipProblem() : text.error();
}

TEST(Gzip, ComesBack) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += static_cast<char>('a' + i % 4099 % 23);
  const std::string packed = gzip(text);
  EXPECT_LT(packed.size(), text.size());
  EXPECT_EQ(packed.substr(0, 2), "\x1f\x8b");
  EXPECT_EQ(gunzip(packed, text.size()), text);
  EXPECT_EQ(gunzip(gzip(""), 0), "");
}

TEST(Gzip, RefusesDamageAndBombs) {
  const std::string packed = gzip(std::string(1 << 20, 'x'));
  EXPECT_EQ(problem(packed, (1 << 20) - 1), GzipProblem::too_long);
  EXPECT_EQ(problem(packed.substr(0, packed.size() - 1), 1 << 20), GzipProblem::ends_early);
  EXPECT_EQ(problem(packed + "x", 1 << 20), GzipProblem::something_follows);
  std::string damaged = packed;
  damaged[damaged.size() - 6] ^= 1;  // of its checksum
  EXPECT_EQ(problem(damaged, 1 << 20), GzipProblem::damaged);
  EXPECT_EQ(problem("no gzip", 100), GzipProblem::damaged);
  EXPECT_EQ(problem("", 100), GzipProblem::ends_early);
}

}  // namespace
}  // namespace brume

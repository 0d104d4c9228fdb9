#include "core/gzip.h"

#include <gtest/gtest.h>

namespace brume {
namespace {

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
  EXPECT_EQ(gunzip(packed, (1 << 20) - 1), std::nullopt);
  EXPECT_EQ(gunzip(packed.substr(0, packed.size() - 1), 1 << 20), std::nullopt);
  EXPECT_EQ(gunzip(packed + "x", 1 << 20), std::nullopt);
  std::string damaged = packed;
  damaged[damaged.size() - 6] ^= 1;  // of its checksum
  EXPECT_EQ(gunzip(damaged, 1 << 20), std::nullopt);
  EXPECT_EQ(gunzip("no gzip", 100), std::nullopt);
  EXPECT_EQ(gunzip("", 100), std::nullopt);
}

}  // namespace
}  // namespace brume

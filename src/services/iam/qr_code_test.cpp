#include "services/iam/qr_code.h"

#include <gtest/gtest.h>
#include <png.h>

#include <vector>

namespace brume::iam {
namespace {

TEST(ProvisioningUri, NamesIssuerDeviceAndAccount) {
  EXPECT_EQ(provisioning_uri("ann", "111122223333", "JBSWY3DP"),
            "otpauth://totp/Amazon%20Web%20Services:ann@111122223333?secret=JBSWY3DP&issuer=Amazon%20Web%20Services");
  // "upper and lowercase alphanumeric characters with no spaces … +=,.@-": what would end the label is escaped.
  EXPECT_EQ(provisioning_uri("a@b+c", "one", "JBSWY3DP"),
            "otpauth://totp/Amazon%20Web%20Services:a%40b%2Bc@one?secret=JBSWY3DP&issuer=Amazon%20Web%20Services");
}

struct Pixels {
  std::size_t side = 0;
  std::vector<png_byte> grey;
  bool dark(std::size_t x, std::size_t y) const { return grey[y * side + x] == 0; }
};

Pixels read(const std::string& png) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  Pixels pixels;
  if (png_image_begin_read_from_memory(&image, png.data(), png.size()) == 0) return pixels;
  image.format = PNG_FORMAT_GRAY;
  EXPECT_EQ(image.width, image.height);
  pixels.side = image.width;
  pixels.grey.resize(pixels.side * pixels.side);
  EXPECT_NE(png_image_finish_read(&image, nullptr, pixels.grey.data(), 0, nullptr), 0);
  return pixels;
}

// What it says is read by a scanner in the end-to-end test; here: that it is a code with its finders and margins.
TEST(QrCode, HasFindersInThreeCornersAndAQuietZone) {
  const Pixels pixels = read(qr_code_png(provisioning_uri("ann", "111122223333", std::string(64, 'A'))));
  ASSERT_GT(pixels.side, 100U);
  ASSERT_EQ(pixels.side % 4, 0U);
  const std::size_t modules = pixels.side / 4;
  const auto module_is_dark = [&](std::size_t x, std::size_t y) { return pixels.dark(4 * x + 1, 4 * y + 2); };
  for (std::size_t i = 0; i < modules; ++i)
    for (std::size_t margin = 0; margin < 4; ++margin) {
      EXPECT_FALSE(module_is_dark(i, margin) || module_is_dark(i, modules - 1 - margin));
      EXPECT_FALSE(module_is_dark(margin, i) || module_is_dark(modules - 1 - margin, i));
    }
  // A finder's middle row: 1 dark, 1 light, 3 dark, 1 light, 1 dark.
  const auto is_finder = [&](std::size_t x, std::size_t y) {
    std::string row;
    for (std::size_t i = 0; i < 7; ++i) row += module_is_dark(x + i, y + 3) ? '#' : '.';
    return row == "#.###.#";
  };
  EXPECT_TRUE(is_finder(4, 4));
  EXPECT_TRUE(is_finder(modules - 11, 4));
  EXPECT_TRUE(is_finder(4, modules - 11));
  EXPECT_FALSE(is_finder(modules - 11, modules - 11));
}

TEST(QrCode, HoldsTheLongestNames) {
  const std::string uri = provisioning_uri(std::string(226, 'n'), std::string(63, 'a'), std::string(64, 'S'));
  EXPECT_GT(read(qr_code_png(uri)).side, 0U);
  EXPECT_NE(qr_code_png(uri), qr_code_png(uri + "x"));
}

}  // namespace
}  // namespace brume::iam

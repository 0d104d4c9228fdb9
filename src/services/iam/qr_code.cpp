#include "services/iam/qr_code.h"

#include <png.h>

#include <cstddef>
#include <qrcodegen/qrcodegen.hpp>
#include <vector>

#include "core/error.h"
#include "core/text.h"

namespace brume::iam {
namespace {

constexpr int kPixelsPerModule = 4;
constexpr int kQuietModules = 4;  // "The quiet zone shall be at least four modules wide on all sides."
constexpr std::string_view kIssuer = "Amazon Web Services";

struct Picture {
  std::size_t side = 0;
  std::vector<png_byte> grey;  // row by row
};

Picture draw(const qrcodegen::QrCode& code) {
  Picture picture;
  picture.side = static_cast<std::size_t>((code.getSize() + 2 * kQuietModules) * kPixelsPerModule);
  picture.grey.reserve(picture.side * picture.side);
  // Outside the code getModule answers light, which makes the quiet zone.
  const auto module_of = [](std::size_t pixel) { return static_cast<int>(pixel) / kPixelsPerModule - kQuietModules; };
  for (std::size_t y = 0; y < picture.side; ++y)
    for (std::size_t x = 0; x < picture.side; ++x)
      picture.grey.push_back(code.getModule(module_of(x), module_of(y)) ? 0x00 : 0xFF);
  return picture;
}

std::string to_png(const Picture& picture) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = image.height = static_cast<png_uint_32>(picture.side);
  image.format = PNG_FORMAT_GRAY;
  // Never more than the pixels, a byte of each row and the chunks around them: what little there is, is compressed.
  std::string bytes(picture.grey.size() + picture.side + 1024, '\0');
  png_alloc_size_t size = bytes.size();
  const int written = png_image_write_to_memory(&image, bytes.data(), &size, 0, picture.grey.data(), 0, nullptr);
  BRUME_CHECK(written != 0);
  bytes.resize(size);
  return bytes;
}

}  // namespace

std::string provisioning_uri(std::string_view device, std::string_view account, std::string_view base32_seed) {
  const std::string issuer = percent_encode(kIssuer);
  return "otpauth://totp/" + issuer + ":" + percent_encode(device) + "@" + percent_encode(account) +
         "?secret=" + std::string(base32_seed) + "&issuer=" + issuer;
}

std::string qr_code_png(std::string_view text) {
  return to_png(draw(qrcodegen::QrCode::encodeText(std::string(text).c_str(), qrcodegen::QrCode::Ecc::MEDIUM)));
}

}  // namespace brume::iam

// Image documents of any bytes: parsing ends with a value or a PlaneError.
#include <cstdint>
#include <string_view>

#include "core/error.h"
#include "planes/containers/manifest.h"
#include "planes/containers/reference.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto attempt = [&](auto parse) {
    try {
      parse(text);
    } catch (const brume::PlaneError&) {
    }
  };
  attempt([](std::string_view t) { brume::containers::is_index(t); });
  attempt([](std::string_view t) { brume::containers::resolve_index(t); });
  attempt([](std::string_view t) { brume::containers::resolve_named(t, "app:1"); });
  attempt([](std::string_view t) { brume::containers::parse_manifest(t); });
  attempt([](std::string_view t) { brume::containers::parse_config(t); });
  attempt([](std::string_view t) { brume::containers::parse_docker_archive(t); });
  attempt([](std::string_view t) { brume::containers::parse_reference(t); });
  return 0;
}

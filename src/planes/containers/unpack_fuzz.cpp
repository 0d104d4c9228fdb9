// A layer of any bytes: unpacking ends with success or a PlaneError, and nothing appears beside its directory.
#include <cstdint>
#include <cstdlib>
#include <filesystem>

#include "core/error.h"
#include "planes/containers/blobs.h"
#include "planes/containers/unpack.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string kDirectory = [] {
    std::string name = (std::filesystem::temp_directory_path() / "brume-fuzz-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    return name;
  }();
  std::filesystem::create_directory(kDirectory + "/root");
  brume::containers::write_file(kDirectory + "/layer", {reinterpret_cast<const char*>(data), size});
  try {
    brume::containers::unpack_layer(kDirectory + "/layer", kDirectory + "/root", {.bytes = 1 << 20, .members = 1000});
  } catch (const brume::PlaneError&) {
  }
  for (const auto& entry : std::filesystem::directory_iterator(kDirectory)) {
    if (entry.path().filename() != "root" && entry.path().filename() != "layer") std::abort();
  }
  std::filesystem::remove_all(kDirectory);
  std::filesystem::create_directory(kDirectory);
  return 0;
}

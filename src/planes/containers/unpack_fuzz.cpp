// Fuzz target: image layers. Unpacking ends with success or a PlaneError, and nothing changes outside the layer's
// directory. The first byte chooses: 0 to 2, a plain, gzip or zstd tar of the members that the lines behind it name;
// else the bytes are the layer as they are. A line is a kind (f, d, l, h, w, c), a name and, after a blank, a target or
// the content.
#include <sys/stat.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "planes/containers/test_tar.h"
#include "planes/containers/unpack.h"

namespace brume::containers {
namespace {

namespace fs = std::filesystem;

void write_now(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// A directory with the layer, the root that it goes into, and things beside it that must stay as they are.
class Place {
 public:
  Place() {
    std::string name = (fs::temp_directory_path() / "brume-fuzz-XXXXXX").string();
    BRUME_CHECK(::mkdtemp(name.data()) != nullptr);
    directory_ = name;
    fs::create_directories(directory_ + "/beside/inner");
    write_now(directory_ + "/beside/file", "untouched");
    ::chmod((directory_ + "/beside/file").c_str(), 0640);
  }
  Place(const Place&) = delete;
  ~Place() { fs::remove_all(directory_); }

  std::string layer() const { return directory_ + "/layer"; }
  std::string root() const { return directory_ + "/root"; }
  void begin() {
    fs::remove_all(root());
    fs::create_directory(root());
  }
  void check() const {
    std::size_t entries = 0;
    for (const auto& entry : fs::recursive_directory_iterator(directory_ + "/beside")) {
      ++entries;
      BRUME_CHECK(entry.path().filename() == "inner" || entry.path().filename() == "file");
    }
    BRUME_CHECK(entries == 2);
    std::ifstream file(directory_ + "/beside/file");
    BRUME_CHECK(std::string(std::istreambuf_iterator<char>(file), {}) == "untouched");
    struct stat found{};
    BRUME_CHECK(::stat((directory_ + "/beside/file").c_str(), &found) == 0);
    BRUME_CHECK((found.st_mode & 07777U) == 0640 && found.st_nlink == 1 && found.st_uid == ::getuid());
    for (const auto& entry : fs::directory_iterator(directory_)) {
      const std::string name = entry.path().filename();
      BRUME_CHECK(name == "root" || name == "layer" || name == "beside");
    }
  }

 private:
  std::string directory_;
};

std::vector<testing::TarMember> members_of(std::string_view text) {
  std::vector<testing::TarMember> members;
  for (const std::string_view line : split(text, '\n')) {
    if (line.size() < 2) continue;
    const std::string_view words = line.substr(1);
    const std::size_t blank = words.find(' ');
    const std::string name(words.substr(0, blank));
    const std::string rest(blank == std::string_view::npos ? std::string_view() : words.substr(blank + 1));
    if (name.find('\0') != std::string::npos || rest.find('\0') != std::string::npos) continue;
    switch (line[0]) {
      case 'd':
        members.push_back(testing::tar_directory(name, 0750));
        break;
      case 'l':
        members.push_back(testing::tar_link(name, rest));
        break;
      case 'h':
        members.push_back(testing::tar_hard_link(name, rest));
        break;
      case 'w':
        members.push_back(testing::tar_file(name + "/.wh." + rest, ""));
        break;
      case 'c':
        members.push_back(testing::tar_file(name, ""));
        members.back().type = S_IFCHR;
        break;
      case 'x':
        members.push_back(testing::tar_file(name, ""));
        members.back().attributes = {{"user." + rest, "value"}, {"trusted.overlay." + rest, "y"}};
        break;
      default:
        members.push_back(testing::tar_file(name, rest, 04755));
    }
    if (members.size() > 40) break;
  }
  return members;
}

}  // namespace
}  // namespace brume::containers

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace brume;
  using namespace brume::containers;
  if (size == 0) return 0;
  static Place place;
  place.begin();
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] < 3) {
    try {
      testing::write_tar(place.layer(), members_of(rest), static_cast<testing::TarFilter>(data[0]));
    } catch (const std::runtime_error&) {
      return 0;  // a name that tar has no room for
    }
  } else {
    write_now(place.layer(), rest);
  }
  try {
    const std::string digest =
        unpack_layer(place.layer(), place.root(), {.bytes = 1 << 20, .members = 100, .ratio = 50, .ratio_bytes = 4096});
    std::ifstream file(place.layer(), std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(file), {});
    BRUME_CHECK(digest == "sha256:" + to_hex(sha256(bytes)));
  } catch (const PlaneError& error) {
    BRUME_CHECK(!error.message.empty());
  }
  place.check();
  return 0;
}

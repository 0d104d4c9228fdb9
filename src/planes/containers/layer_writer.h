// Writes a layer's members below a directory, whatever their names are. Used by unpack_layer on one thread.
#pragma once

#include <sys/types.h>
#include <time.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "planes/keeper/process.h"

namespace brume::containers {

using Path = std::vector<std::string>;  // components, none of them "", "." or ".."

// The components of a member's name. Throws PlaneError{permanent} for ".." and for names that are too long.
Path member_path(std::string_view name);

struct Attributes {
  mode_t mode = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  timespec modified{};
  std::vector<std::pair<std::string, std::string>> extended;
};

class LayerWriter {
 public:
  explicit LayerWriter(const std::string& directory);

  // Each replaces what an earlier member of the same name made, unless one of the two is a directory.
  void make_directory(const Path& path, const Attributes& attributes);
  keeper::Descriptor make_file(const Path& path);
  void finish_file(const keeper::Descriptor& file, const Attributes& attributes);
  void make_symlink(const Path& path, const std::string& target, const Attributes& attributes);
  void make_hard_link(const Path& path, const Path& target);
  void make_fifo(const Path& path, const Attributes& attributes);
  void make_whiteout(const Path& path);
  void make_opaque(const Path& directory);
  // Directories' times, which their members' making has changed.
  void finish();

 private:
  keeper::Descriptor open_directory(const Path& path);
  keeper::Descriptor make_parents(const Path& path, int depth);
  int parent_of(const Path& path);
  void clear_place(int parent, const std::string& name);

  keeper::Descriptor root_;
  Path cached_path_;  // members of one directory follow each other
  keeper::Descriptor cached_;
  std::map<Path, timespec> directory_times_;
};

}  // namespace brume::containers

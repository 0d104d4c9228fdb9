#include "planes/containers/layer_writer.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

#include "core/error.h"
#include "core/text.h"

namespace brume::containers {
namespace {

using keeper::Descriptor;

constexpr int kLinkDepth = 40;  // as the kernel's own limit

[[noreturn]] void refuse(const std::string& what) { throw PlaneError(PlaneError::Kind::permanent, what); }
[[noreturn]] void refuse_errno(const std::string& what) { refuse(what + ": " + std::strerror(errno)); }

std::string joined(const Path& path) { return path.empty() ? "." : join(path, "/"); }

// Resolved inside `root` as if it were the file system's root: neither "..", nor an absolute link leaves it.
Descriptor open_in_root(int root, const Path& path, std::uint64_t flags) {
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  return Descriptor(static_cast<int>(::syscall(SYS_openat2, root, joined(path).c_str(), &how, sizeof how)));
}

// In a user namespace of one user the image's other owners have no number; its files are the user's then.
bool may_ignore_owner() { return errno == EINVAL || (errno == EPERM && ::geteuid() != 0); }

std::array<timespec, 2> times_of(const timespec& modified) { return {modified, modified}; }

// Only what a container may see. trusted.overlay.* would let a layer reach into others.
bool is_allowed_attribute(const std::string& name) {
  return name == "security.capability" || (name.starts_with("user.") && !name.starts_with("user.overlay."));
}

}  // namespace

Path member_path(std::string_view name) {
  Path path;
  if (name.size() >= PATH_MAX) refuse("a member's name of " + std::to_string(name.size()) + " bytes");
  for (const std::string_view part : split(name, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") refuse("the member " + std::string(name) + " has \"..\" in its name");
    if (part.size() > NAME_MAX) refuse("the member " + std::string(name) + " has a part of its name that is too long");
    path.emplace_back(part);
  }
  return path;
}

LayerWriter::LayerWriter(const std::string& directory)
    : root_(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
  if (!root_) throw_errno(directory);
}

Descriptor LayerWriter::open_directory(const Path& path) {
  return open_in_root(root_.get(), path, O_PATH | O_DIRECTORY);
}

// Opens the directory; what is missing on the way is made, as root's with mode 755.
Descriptor LayerWriter::make_parents(const Path& path, int depth) {
  if (Descriptor found = open_directory(path)) return found;
  if (depth > kLinkDepth) refuse(joined(path) + ": too many levels of symbolic links");
  const Path above(path.begin(), path.end() - 1);
  const Descriptor parent = make_parents(above, depth);
  const std::string& name = path.back();
  if (::mkdirat(parent.get(), name.c_str(), 0755) == 0) {
    ::fchmodat(parent.get(), name.c_str(), 0755, 0);
  } else if (errno == EEXIST) {
    // A link whose target only a lower layer has: var/run → /run, then var/run/lock. The target is made here.
    std::array<char, PATH_MAX> target{};
    const ssize_t size = ::readlinkat(parent.get(), name.c_str(), target.data(), target.size());
    if (size <= 0) refuse(joined(path) + " is not a directory, but has members");
    const std::string_view text(target.data(), static_cast<std::size_t>(size));
    Path real = text.starts_with('/') ? Path() : above;
    for (const std::string_view part : split(text, '/')) {
      if (part == "..") {
        if (!real.empty()) real.pop_back();
      } else if (!part.empty() && part != ".") {
        real.emplace_back(part);
      }
    }
    make_parents(real, depth + 1);
  } else {
    refuse_errno(joined(path));
  }
  Descriptor made = open_directory(path);
  if (!made) refuse_errno(joined(path));
  return made;
}

int LayerWriter::parent_of(const Path& path) {
  if (path.empty()) refuse("the layer's root is not a directory");
  Path parent(path.begin(), path.end() - 1);
  if (!cached_ || parent != cached_path_) {
    cached_ = make_parents(parent, 0);
    cached_path_ = std::move(parent);
  }
  return cached_.get();
}

void LayerWriter::clear_place(int parent, const std::string& name) {
  if (::unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) return;
  refuse_errno(name);
}

void LayerWriter::make_directory(const Path& path, const Attributes& attributes) {
  if (!path.empty()) {
    const int parent = parent_of(path);
    struct stat existing{};
    const bool exists = ::fstatat(parent, path.back().c_str(), &existing, AT_SYMLINK_NOFOLLOW) == 0;
    if (exists && !S_ISDIR(existing.st_mode)) {
      clear_place(parent, path.back());
      cached_.reset();  // a link may have been on the cached way
    }
    if ((!exists || !S_ISDIR(existing.st_mode)) && ::mkdirat(parent_of(path), path.back().c_str(), 0700) != 0) {
      refuse_errno(joined(path));
    }
  }
  const Descriptor directory = open_in_root(root_.get(), path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!directory) refuse_errno(joined(path));
  finish_file(directory, attributes);
  directory_times_[path] = attributes.modified;
}

Descriptor LayerWriter::make_file(const Path& path) {
  const int parent = parent_of(path);
  clear_place(parent, path.back());
  Descriptor file(::openat(parent, path.back().c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) refuse_errno(joined(path));
  return file;
}

void LayerWriter::finish_file(const Descriptor& file, const Attributes& attributes) {
  if (::fchown(file.get(), attributes.uid, attributes.gid) != 0 && !may_ignore_owner()) refuse_errno("owner");
  if (::fchmod(file.get(), attributes.mode & 07777U) != 0) refuse_errno("mode");
  for (const auto& [name, value] : attributes.extended) {
    // After chown, which clears capabilities. A file system without such attributes holds the file all the same.
    if (is_allowed_attribute(name)) ::fsetxattr(file.get(), name.c_str(), value.data(), value.size(), 0);
  }
  ::futimens(file.get(), times_of(attributes.modified).data());
}

void LayerWriter::make_symlink(const Path& path, const std::string& target, const Attributes& attributes) {
  const int parent = parent_of(path);
  clear_place(parent, path.back());
  const char* name = path.back().c_str();
  if (::symlinkat(target.c_str(), parent, name) != 0) refuse_errno(joined(path));
  if (::fchownat(parent, name, attributes.uid, attributes.gid, AT_SYMLINK_NOFOLLOW) != 0 && !may_ignore_owner()) {
    refuse_errno(joined(path));
  }
  ::utimensat(parent, name, times_of(attributes.modified).data(), AT_SYMLINK_NOFOLLOW);
}

void LayerWriter::make_hard_link(const Path& path, const Path& target) {
  const std::string what = joined(path) + ", a hard link to " + joined(target);
  if (target.empty()) refuse(what);
  const Descriptor target_parent = open_directory(Path(target.begin(), target.end() - 1));
  if (!target_parent) refuse(what + ", which the layer does not hold");
  const int parent = parent_of(path);
  clear_place(parent, path.back());
  // The target itself is not followed, should it be a symbolic link.
  if (::linkat(target_parent.get(), target.back().c_str(), parent, path.back().c_str(), 0) != 0) {
    refuse(what + (errno == ENOENT ? ", which the layer does not hold" : std::string(": ") + std::strerror(errno)));
  }
}

void LayerWriter::make_fifo(const Path& path, const Attributes& attributes) {
  const int parent = parent_of(path);
  clear_place(parent, path.back());
  const char* name = path.back().c_str();
  if (::mkfifoat(parent, name, 0600) != 0) refuse_errno(joined(path));
  if (::fchownat(parent, name, attributes.uid, attributes.gid, AT_SYMLINK_NOFOLLOW) != 0 && !may_ignore_owner()) {
    refuse_errno(joined(path));
  }
  if (::fchmodat(parent, name, attributes.mode & 07777U, 0) != 0) refuse_errno(joined(path));
}

void LayerWriter::make_whiteout(const Path& path) {
  const int parent = parent_of(path);
  struct stat existing{};
  // The layer itself holds a thing of this name as well: that one is newer than what lower layers hold.
  if (::fstatat(parent, path.back().c_str(), &existing, AT_SYMLINK_NOFOLLOW) == 0) return;
  if (::mknodat(parent, path.back().c_str(), S_IFCHR | 0600, makedev(0, 0)) != 0) refuse_errno(joined(path));
}

void LayerWriter::make_opaque(const Path& path) {
  const Descriptor directory(make_parents(path, 0));
  const std::string place = "/proc/self/fd/" + std::to_string(directory.get());
  const char* name = ::geteuid() == 0 ? "trusted.overlay.opaque" : "user.overlay.opaque";
  if (::setxattr(place.c_str(), name, "y", 1, 0) != 0) refuse_errno(joined(path) + ", an opaque directory");
}

void LayerWriter::finish() {
  for (const auto& [path, modified] : directory_times_) {
    const Descriptor directory = open_in_root(root_.get(), path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (directory) ::futimens(directory.get(), times_of(modified).data());
  }
}

}  // namespace brume::containers

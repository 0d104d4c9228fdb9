#include "planes/containers/layers.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "core/error.h"
#include "core/fault.h"
#include "core/text.h"
#include "planes/containers/manifest.h"
#include "planes/keeper/process.h"

namespace brume::containers {
namespace {

// keeper's Descriptor is a file; this folder's is a blob's.
using File = keeper::Descriptor;

enum class Found { file, nothing, hidden };

bool is_whiteout(const std::string& path) {
  struct stat info{};
  return ::lstat(path.c_str(), &info) == 0 && S_ISCHR(info.st_mode) && info.st_rdev == makedev(0, 0);
}

bool is_opaque(const std::string& path) {
  char value = 0;
  return (::lgetxattr(path.c_str(), "trusted.overlay.opaque", &value, 1) == 1 ||
          ::lgetxattr(path.c_str(), "user.overlay.opaque", &value, 1) == 1) &&
         value == 'y';
}

// What one layer says of the path; `file` is open when it holds it.
Found look(const std::string& directory, const std::string& path, File& file) {
  const File root(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  open_how how{};
  // Non-blocking: the image may have put a pipe there.
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  file.reset(static_cast<int>(::syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof how)));
  if (file) return Found::file;
  std::string above = directory;
  for (const std::string_view part : split(path, '/')) {
    above.append("/").append(part);
    if (is_whiteout(above) || is_opaque(above)) return Found::hidden;
  }
  return Found::nothing;
}

std::optional<std::string> content(const File& file, std::uint64_t limit) {
  struct stat info{};
  if (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  if (static_cast<std::uint64_t>(info.st_size) > limit) return std::nullopt;
  std::string text(static_cast<std::size_t>(info.st_size), '\0');
  const ssize_t got = ::pread(file.get(), text.data(), text.size(), 0);
  if (got < 0) return std::nullopt;
  text.resize(static_cast<std::size_t>(got));
  return text;
}

}  // namespace

Layers::Layers(std::string directory, UnpackLimits limits, bool synced)
    : directory_(std::move(directory)), limits_(limits), synced_(synced) {
  std::filesystem::remove_all(directory_ + "/partial");
  std::filesystem::create_directories(directory_ + "/partial");
}

std::string Layers::path(const std::string& digest) const { return directory_ + "/" + digest_hex(digest); }

bool Layers::has(const std::string& digest) const {
  std::error_code error;
  return std::filesystem::is_directory(path(digest), error);
}

void Layers::ensure(const std::string& digest, const std::string& blob) {
  std::unique_lock lock(mutex_);
  finished_.wait(lock, [&] { return !unpacking_.contains(digest); });
  if (has(digest)) return;
  unpacking_.insert(digest);
  lock.unlock();
  std::string error;
  try {
    unpack(digest, blob);
  } catch (const std::exception& failure) {
    error = failure.what();
  }
  lock.lock();
  unpacking_.erase(digest);
  finished_.notify_all();
  if (!error.empty()) throw PlaneError(PlaneError::Kind::permanent, "layer " + digest + ": " + error);
}

std::vector<std::string> Layers::all() const {
  std::vector<std::string> digests;
  std::error_code error;
  for (std::filesystem::directory_iterator it(directory_, error), end; !error && it != end; it.increment(error)) {
    if (const std::string name = it->path().filename().string(); name != "partial") digests.push_back("sha256:" + name);
  }
  return digests;
}

std::string Layers::take_away(const std::string& digest) const {
  std::string gone = directory_ + "/partial/gone-" + digest_hex(digest);
  std::rename(path(digest).c_str(), gone.c_str());
  return gone;
}

void Layers::unpack(const std::string& digest, const std::string& blob) const {
  std::string partial = directory_ + "/partial/XXXXXX";
  if (::mkdtemp(partial.data()) == nullptr) throw_errno(partial);
  try {
    // A layer without a member for its own root gets Docker's: root's, 755.
    if (::chmod(partial.c_str(), 0755) != 0) throw_errno(partial);
    const std::string found = unpack_layer(blob, partial, limits_);
    if (found != digest) throw PlaneError(PlaneError::Kind::permanent, "its content has the digest " + found);
    // All files at once: thousands of small ones would be synced one by one otherwise.
    const File place(synced_ ? ::open(partial.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1);
    if (synced_ && ::syncfs(place.get()) != 0) throw_errno("sync " + partial);
    fault_point("images.unpack.done");
    std::filesystem::rename(partial, path(digest));
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove_all(partial, ignored);
    throw;
  }
}

std::optional<std::string> read_from_layers(const std::vector<std::string>& directories, const std::string& path,
                                            std::uint64_t limit) {
  for (auto directory = directories.rbegin(); directory != directories.rend(); ++directory) {
    File file;
    switch (look(*directory, path, file)) {
      case Found::file:
        return content(file, limit);
      case Found::hidden:
        return std::nullopt;
      case Found::nothing:
        break;
    }
  }
  return std::nullopt;
}

}  // namespace brume::containers

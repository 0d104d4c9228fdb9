#include "store/directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "store/store.h"

namespace brume {
namespace {

std::string holder_of(int descriptor) {
  char text[32];
  const ssize_t size = ::pread(descriptor, text, sizeof text, 0);
  return size <= 0 ? "another process" : "process " + std::string(text, static_cast<std::size_t>(size));
}

}  // namespace

void make_owner_only_directory(const std::string& directory) {
  std::error_code error;
  const std::filesystem::path parent = std::filesystem::path(directory).parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    throw StoreError("The state directory " + directory + " cannot be made: " + std::strerror(errno) +
                     ". Name one that can be written with --state.");
  }
}

DirectoryLock::DirectoryLock(const std::string& directory) {
  const std::string path = directory + "/lock";
  // Close-on-exec: a lock that a child inherits would outlive the daemon.
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor_ < 0) {
    throw StoreError("The state directory " + directory + " cannot be used: " + std::strerror(errno) +
                     ". Name one that can be written with --state.");
  }
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    const std::string holder = holder_of(descriptor_);
    ::close(descriptor_);
    throw StoreError("The state directory " + directory + " is in use by " + holder +
                     ". Stop that one with `brume down`, or use another directory (--state).");
  }
  const std::string process = std::to_string(::getpid());
  if (::ftruncate(descriptor_, 0) != 0 || ::pwrite(descriptor_, process.data(), process.size(), 0) < 0) {
    // Only the other side's message suffers: the lock itself needs no content, so a full disk is no reason to fail.
  }
}

DirectoryLock::~DirectoryLock() { ::close(descriptor_); }

bool SpaceReserve::is_nearly_full() const {
  struct statvfs space{};
  return ::statvfs(directory_.c_str(), &space) == 0 && space.f_bavail * space.f_frsize < kMarginBytes;
}

bool SpaceReserve::has_room() const {
  struct statvfs space{};
  return ::statvfs(directory_.c_str(), &space) == 0 && space.f_bavail * space.f_frsize >= 2 * kSizeBytes;
}

bool SpaceReserve::take() {
  struct stat present{};
  const bool there = ::stat(path().c_str(), &present) == 0 && static_cast<std::uint64_t>(present.st_size) == kSizeBytes;
  if (there) return true;
  struct statvfs space{};
  if (::statvfs(directory_.c_str(), &space) != 0 || space.f_bavail * space.f_frsize < 2 * kSizeBytes) return false;
  const int descriptor = ::open(path().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return false;
  const bool taken = ::posix_fallocate(descriptor, 0, static_cast<off_t>(kSizeBytes)) == 0;
  ::close(descriptor);
  if (!taken) ::unlink(path().c_str());
  return taken;
}

void SpaceReserve::release() { ::unlink(path().c_str()); }

}  // namespace brume

#include "planes/keeper/mounts.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "core/error.h"
#include "core/system.h"
#include "core/text.h"
#include "planes/keeper/process.h"

namespace brume::keeper {
namespace {

constexpr const char* kCgroups = "/sys/fs/cgroup";

// mountinfo writes space, tab, newline and backslash as \040 and the like.
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

void kill_processes(const std::filesystem::path& directory) {
  std::ifstream processes(directory / "cgroup.procs");
  pid_t pid = 0;
  while (processes >> pid) {
    if (pid > 0) ::kill(pid, SIGKILL);
  }
}

// Deepest first; a killed process leaves its cgroup a moment later, so a busy directory is tried again.
bool remove_directories(const std::filesystem::path& directory) {
  std::error_code error;
  std::vector<std::filesystem::path> children;
  for (std::filesystem::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    if (it->is_directory(error)) children.push_back(it->path());
  }
  bool removed = true;
  for (const auto& child : children) removed = remove_directories(child) && removed;
  return (::rmdir(directory.c_str()) == 0 || errno == ENOENT) && removed;
}

// Of a directory in a cgroup that another instance's end takes away, or just has.
bool is_being_removed(const std::error_code& error) {
  return error == std::errc::no_such_file_or_directory || error == std::errc::no_such_device;
}

}  // namespace

void mount_overlay(const OverlayMount& mount) {
  // The directories are named by descriptors: mount options are one page at most, which the paths of a few dozen layers
  // would overrun, and commas and colons in paths would need escaping.
  std::vector<Descriptor> held;
  const auto by_descriptor = [&](const std::string& path) {
    held.emplace_back(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!held.back()) throw_errno("overlay directory " + path);
    return "/proc/self/fd/" + std::to_string(held.back().get());
  };
  std::string lower;
  for (auto layer = mount.layers.rbegin(); layer != mount.layers.rend(); ++layer) {
    lower.append(lower.empty() ? "" : ":").append(by_descriptor(*layer));
  }
  // volatile: nothing in a container's upper directory has to survive the machine, and without it every unmount would
  // flush the whole file system.
  const std::string options =
      "lowerdir=" + lower + ",upperdir=" + by_descriptor(mount.upper) + ",workdir=" + by_descriptor(mount.work);
  const bool privileged = ::geteuid() == 0;
  const std::string all = options + ",volatile" + (privileged ? "" : ",userxattr");
  if (::mount("overlay", mount.target.c_str(), "overlay", 0, all.c_str()) != 0) {
    throw_errno("overlay on " + mount.target);
  }
}

std::vector<std::string> mount_points_below(std::string_view mountinfo, std::string_view path) {
  std::vector<std::string> found;
  for (const std::string_view line : split(mountinfo, '\n')) {
    const std::vector<std::string_view> parts = split(line, ' ');
    if (parts.size() < 5) continue;
    std::string point = unescape(parts[4]);
    const bool below = point.size() > path.size() && point.starts_with(path) && point[path.size()] == '/';
    if (below || point == path) found.push_back(std::move(point));
  }
  std::ranges::reverse(found);
  return found;
}

void unmount_below(const std::string& path) {
  // One call detaches a mount with all that is mounted on it; mounts stacked on one point take one each.
  bool detached = false;
  while (::umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) detached = true;
  if (detached || errno == ENOENT) return;
  for (const std::string& point : mount_points_below(read_file("/proc/self/mountinfo"), path)) {
    if (::umount2(point.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0 && errno != EINVAL && errno != ENOENT) {
      throw_errno("unmount " + point);
    }
  }
}

bool cgroups_are_version_2() {
  struct statfs info{};
  return ::statfs(kCgroups, &info) == 0 && info.f_type == CGROUP2_SUPER_MAGIC;
}

std::vector<std::string> cgroup_roots() {
  if (cgroups_are_version_2()) return {kCgroups};
  std::vector<std::string> roots;
  std::error_code error;
  for (std::filesystem::directory_iterator it(kCgroups, error), end; !error && it != end; it.increment(error)) {
    // Links such as cpu → cpu,cpuacct name a hierarchy twice.
    if (it->is_directory(error) && !it->is_symlink(error)) roots.push_back(it->path().string());
  }
  std::ranges::sort(roots);
  return roots;
}

std::string cgroup_root_of(std::string_view controller) {
  const std::string version_1 = std::string(kCgroups) + "/" + std::string(controller);
  if (!cgroups_are_version_2()) return std::filesystem::exists(version_1) ? version_1 : "";
  const std::string controllers = read_file(std::string(kCgroups) + "/cgroup.controllers");
  const std::vector<std::string_view> names = split(trim(controllers), ' ');
  return std::ranges::find(names, controller) == names.end() ? "" : kCgroups;
}

void make_cgroup(const std::string& cgroup) {
  constexpr int kMostTries = 1000;
  for (const std::string& root : cgroup_roots()) {
    std::error_code error;
    int tries = 0;
    do {
      std::filesystem::create_directories(root + cgroup, error);
    } while (is_being_removed(error) && ++tries < kMostTries);
  }
}

void kill_cgroup(const std::string& cgroup) {
  for (const std::string& root : cgroup_roots()) {
    const std::filesystem::path top = root + cgroup;
    std::error_code error;
    if (!std::filesystem::exists(top, error)) continue;
    kill_processes(top);
    for (std::filesystem::recursive_directory_iterator it(top, error), end; !error && it != end; it.increment(error)) {
      if (it->is_directory(error)) kill_processes(it->path());
    }
  }
}

void remove_cgroup(const std::string& cgroup) {
  kill_cgroup(cgroup);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  for (const std::string& root : cgroup_roots()) {
    while (!remove_directories(root + cgroup)) {
      if (std::chrono::steady_clock::now() > deadline) throw_errno("cgroup " + root + cgroup);
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
}

}  // namespace brume::keeper

#include "planes/network/namespaces.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "core/error.h"
#include "core/fault.h"

namespace brume::network {
namespace {

constexpr const char* kOwnNamespace = "/proc/thread-self/ns/net";

using Settings = std::vector<std::pair<const char*, const char*>>;

const Settings& common_settings() {
  static const Settings settings = {
      // Forwarding comes first where it is set: it puts other settings back to their defaults.
      {"net/ipv4/conf/all/rp_filter", "0"},
      {"net/ipv4/conf/all/accept_redirects", "0"},
      {"net/ipv4/conf/default/accept_redirects", "0"},
      {"net/ipv4/conf/all/send_redirects", "0"},
      {"net/ipv4/conf/default/send_redirects", "0"},
      {"net/ipv6/conf/default/disable_ipv6", "1"},
      // A refusal is told every time, not once a second.
      {"net/ipv4/icmp_ratelimit", "0"},
  };
  return settings;
}

const Settings& settings_of(NamespaceKind kind) {
  static const Settings router = {
      {"net/ipv4/conf/default/rp_filter", "0"},
      // The router answers ARP for every neighbour, so that traffic within a subnet passes it too.
      {"net/ipv4/conf/default/proxy_arp", "1"},
      {"net/ipv6/conf/all/disable_ipv6", "1"},
  };
  static const Settings internet = {
      {"net/ipv4/conf/default/rp_filter", "0"},
      {"net/ipv6/conf/all/disable_ipv6", "1"},
  };
  static const Settings sandbox = {
      {"net/ipv4/conf/default/rp_filter", "0"},
      // As container engines have it: no privilege is needed for low ports and ping inside a container.
      {"net/ipv4/ip_unprivileged_port_start", "0"},
  };
  if (kind == NamespaceKind::router) return router;
  return kind == NamespaceKind::internet ? internet : sandbox;
}

// False, with errno, when the kernel refuses it. A setting that this kernel lacks is none to write.
bool try_setting(const std::string& name, const std::string& value) {
  const Descriptor setting(::open(("/proc/sys/" + name).c_str(), O_WRONLY | O_CLOEXEC));
  if (!setting) return errno == ENOENT;
  return ::write(setting.get(), value.data(), value.size()) == static_cast<ssize_t>(value.size());
}

void write_settings(NamespaceKind kind) {
  if (kind != NamespaceKind::sandbox) write_setting("net/ipv4/ip_forward", "1");
  for (const auto& [name, value] : common_settings()) write_setting(name, value);
  for (const auto& [name, value] : settings_of(kind)) write_setting(name, value);
  // In a user namespace groups that are not mapped are refused: then the own group at least.
  if (kind != NamespaceKind::router && !try_setting("net/ipv4/ping_group_range", "0 2147483647"))
    write_setting("net/ipv4/ping_group_range", "0 0");
}

void make_directory(const std::string& path) {
  // 0711: what lies below can be reached by name and not listed (DECISIONS 5).
  if (::mkdir(path.c_str(), 0711) != 0 && errno != EEXIST) throw_errno("mkdir " + path);
}

void make_directories(const std::string& path) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1))
    make_directory(path.substr(0, slash));
  make_directory(path);
}

bool is_mount(const std::string& path) {
  struct statx status{};
  if (::statx(AT_FDCWD, path.c_str(), 0, STATX_BASIC_STATS, &status) != 0) return false;
  return (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

void enter(int name_space) {
  if (::setns(name_space, CLONE_NEWNET) != 0) throw_errno("setns");
}

Descriptor open_own() {
  Descriptor own(::open(kOwnNamespace, O_RDONLY | O_CLOEXEC));
  if (!own) throw_errno(std::string("open ") + kOwnNamespace);
  return own;
}

void bind_own_namespace(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0444));
  if (!file) throw_errno("open " + path);
  if (::mount(kOwnNamespace, path.c_str(), "none", MS_BIND, nullptr) != 0) throw_errno("mount " + path);
}

}  // namespace

void Namespaces::prepare() const {
  make_directories(directory_);
  if (!is_mount(directory_) && ::mount(directory_.c_str(), directory_.c_str(), "none", MS_BIND, nullptr) != 0)
    throw_errno("mount " + directory_);
  if (::mount("none", directory_.c_str(), nullptr, MS_SHARED, nullptr) != 0) throw_errno("share " + directory_);
}

std::vector<std::string> Namespaces::list() const {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(directory_.c_str()), &::closedir);
  if (!directory) return names;
  std::vector<std::string> dead;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    (exists(name) ? names : dead).push_back(name);
  }
  for (const std::string& name : dead) ::unlink(path(name).c_str());
  std::ranges::sort(names);
  return names;
}

bool Namespaces::exists(const std::string& name) const {
  struct statfs status{};
  return ::statfs(path(name).c_str(), &status) == 0 && status.f_type == NSFS_MAGIC;
}

void Namespaces::create(const std::string& name, NamespaceKind kind) const {
  if (exists(name)) return;
  const Descriptor home = open_own();
  if (::unshare(CLONE_NEWNET) != 0) throw_errno("unshare");
  try {
    write_settings(kind);
    fault_point("network.namespace.unbound");
    bind_own_namespace(path(name));
    fault_point("network.namespace.made");
  } catch (const PlaneError&) {
    enter(home.get());
    throw;
  }
  enter(home.get());
}

Descriptor Namespaces::open(const std::string& name) const {
  Descriptor opened;
  if (exists(name)) opened.reset(::open(path(name).c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened) throw PlaneError(PlaneError::Kind::not_found, "no network namespace " + name);
  return opened;
}

void Namespaces::remove(const std::string& name) const {
  const std::string file = path(name);
  fault_point("network.namespace.removing");
  if (::umount2(file.c_str(), MNT_DETACH) != 0 && errno != EINVAL && errno != ENOENT) throw_errno("umount " + file);
  if (::unlink(file.c_str()) != 0 && errno != ENOENT) throw_errno("unlink " + file);
}

void Namespaces::remove_directory() const {
  if (is_mount(directory_)) ::umount2(directory_.c_str(), MNT_DETACH);
  ::rmdir(directory_.c_str());
}

Entered::Entered(const Descriptor& name_space) : home_(open_own()) { enter(name_space.get()); }

// A thread that cannot come back would do its next work in the wrong namespace.
Entered::~Entered() { BRUME_CHECK(::setns(home_.get(), CLONE_NEWNET) == 0); }

void leave_host_namespace() {
  if (::unshare(CLONE_NEWNET) != 0) throw_errno("unshare");
}

void write_setting(const std::string& name, const std::string& value) {
  if (!try_setting(name, value)) throw_errno("write /proc/sys/" + name);
}

}  // namespace brume::network

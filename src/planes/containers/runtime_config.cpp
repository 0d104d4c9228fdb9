#include "planes/containers/runtime_config.h"

#include <signal.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <map>
#include <string_view>

#include "core/error.h"
#include "core/text.h"
#include "planes/containers/seccomp_profile.h"
#include "planes/keeper/process.h"

namespace brume::containers {
namespace {

namespace json = boost::json;

[[noreturn]] void refuse(const std::string& what) { throw PlaneError(PlaneError::Kind::permanent, what); }

// "Runtime privilege and Linux capabilities" of Docker's reference: what a container has by default.
constexpr std::array kDefaultCapabilities = {
    "CAP_AUDIT_WRITE", "CAP_CHOWN",   "CAP_DAC_OVERRIDE",     "CAP_FOWNER",    "CAP_FSETID",
    "CAP_KILL",        "CAP_MKNOD",   "CAP_NET_BIND_SERVICE", "CAP_NET_RAW",   "CAP_SETFCAP",
    "CAP_SETGID",      "CAP_SETPCAP", "CAP_SETUID",           "CAP_SYS_CHROOT"};

constexpr std::array kMaskedPaths = {"/proc/asound",
                                     "/proc/acpi",
                                     "/proc/kcore",
                                     "/proc/keys",
                                     "/proc/latency_stats",
                                     "/proc/timer_list",
                                     "/proc/timer_stats",
                                     "/proc/sched_debug",
                                     "/proc/scsi",
                                     "/sys/firmware",
                                     "/sys/devices/virtual/powercap"};
constexpr std::array kReadOnlyPaths = {"/proc/bus",           "/proc/fs",      "/proc/irq", "/proc/sys",
                                       "/proc/sysrq-trigger", "/sys/fs/cgroup"};

// What TLS clients read instead of, or beside, the system's bundle (measured per client: planes' recipe, section 1).
constexpr std::array kTrustVariables = {"SSL_CERT_FILE",  "AWS_CA_BUNDLE",       "REQUESTS_CA_BUNDLE",
                                        "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO",
                                        "PIP_CERT"};

constexpr const char* kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// The names of "ulimits" in a task definition.
constexpr std::array kUlimits = {"core",   "cpu",   "data", "fsize",  "locks",  "memlock",    "msgqueue", "nice",
                                 "nofile", "nproc", "rss",  "rtprio", "rttime", "sigpending", "stack"};

template <class List>
json::array strings(const List& list) {
  json::array out;
  for (const auto& item : list) out.emplace_back(json::string_view(item));
  return out;
}

std::string capability(std::string name) {
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(::toupper(c)); });
  if (!name.starts_with("CAP_")) name = "CAP_" + name;
  if (name != "CAP_ALL" && keeper::capability_number(name) < 0) refuse("unknown capability " + name);
  return name;
}

json::object mount(const char* destination, const char* type, const char* source, std::vector<std::string> options) {
  return {{"destination", destination}, {"type", type}, {"source", source}, {"options", strings(options)}};
}

json::array standard_mounts() {
  return {
      mount("/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}),
      mount("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}),
      mount("/dev/pts", "devpts", "devpts", {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}),
      mount("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}),
      mount("/sys/fs/cgroup", "cgroup", "cgroup", {"ro", "nosuid", "noexec", "nodev"}),
      mount("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}),
      mount("/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"})};
}

json::object bind(const std::string& source, const std::string& destination, bool read_only) {
  return {{"destination", destination},
          {"type", "bind"},
          {"source", source},
          {"options", strings(std::vector<std::string>{"rbind", "rprivate", read_only ? "ro" : "rw"})}};
}

// "Tmpfs" of a task definition, without what would make of it another kind of mount, or a shared one.
constexpr std::array<std::string_view, 20> kTmpfsOptions = {
    "defaults", "ro",         "rw",       "suid",       "nosuid",      "dev",          "nodev",
    "exec",     "noexec",     "sync",     "async",      "dirsync",     "atime",        "noatime",
    "diratime", "nodiratime", "relatime", "norelatime", "strictatime", "nostrictatime"};
constexpr std::array<std::string_view, 5> kTmpfsSettings = {"mode=", "uid=", "gid=", "nr_inodes=", "nr_blocks="};

void check_tmpfs_option(const std::string& option) {
  const bool plain = std::ranges::find(kTmpfsOptions, std::string_view(option)) != kTmpfsOptions.end();
  const bool setting =
      option.find(',') == std::string::npos &&
      std::ranges::any_of(kTmpfsSettings, [&](std::string_view name) { return option.starts_with(name); });
  if (!plain && !setting) refuse("the tmpfs mount option " + option + " is not served");
}

json::object tmpfs(const Mount& wanted) {
  std::vector<std::string> options = {"nosuid", "nodev", "noexec"};  // Docker's; the task's own come after and win
  for (const std::string& option : wanted.options) check_tmpfs_option(option);
  options.insert(options.end(), wanted.options.begin(), wanted.options.end());
  if (wanted.size_bytes > 0) options.push_back("size=" + std::to_string(wanted.size_bytes));
  return mount(wanted.destination.c_str(), "tmpfs", "tmpfs", options);
}

json::array mounts_of(const RuntimeInput& input) {
  json::array out = standard_mounts();
  for (const auto& [source, destination] : input.files) out.push_back(bind(source, destination, false));
  for (const auto& [source, destination] : input.read_only_files) out.push_back(bind(source, destination, true));
  std::vector<Mount> own = input.spec.mounts;
  std::ranges::sort(own, {}, &Mount::destination);  // a directory before what is mounted in it
  for (const Mount& wanted : own) {
    if (!wanted.destination.starts_with('/')) refuse("the mount path " + wanted.destination + " is not absolute");
    out.push_back(wanted.kind == Mount::Kind::tmpfs ? tmpfs(wanted)
                                                    : bind(wanted.source, wanted.destination, wanted.read_only));
  }
  return out;
}

json::array rlimits_of(const ContainerSpec& spec) {
  json::array out;
  for (const Ulimit& limit : spec.ulimits) {
    if (std::ranges::find(kUlimits, std::string_view(limit.name)) == kUlimits.end()) {
      refuse("unknown ulimit " + limit.name);
    }
    std::string type = "RLIMIT_" + limit.name;
    std::ranges::transform(type, type.begin(), [](unsigned char c) { return static_cast<char>(::toupper(c)); });
    // -1 is "unlimited".
    out.push_back(json::object{{"type", type},
                               {"soft", static_cast<std::uint64_t>(limit.soft)},
                               {"hard", static_cast<std::uint64_t>(limit.hard)}});
  }
  return out;
}

json::object process_of(const RuntimeInput& input) {
  const json::array capabilities = strings(capabilities_of(input.spec));
  const std::string& directory = input.spec.directory.empty() ? input.image.directory : input.spec.directory;
  json::array groups;
  for (const std::uint32_t group : input.user.additional_groups) groups.emplace_back(group);
  return {
      {"terminal", false},
      {"user", json::object{{"uid", input.user.uid}, {"gid", input.user.gid}, {"additionalGids", std::move(groups)}}},
      {"args", strings(arguments_of(input.spec, input.image))},
      {"env", strings(environment_of(input))},
      {"cwd", directory.empty() ? "/" : directory},
      {"capabilities",
       json::object{{"bounding", capabilities}, {"effective", capabilities}, {"permitted", capabilities}}},
      {"rlimits", rlimits_of(input.spec)},
      {"noNewPrivileges", false}};
}

json::object resources_of(const RuntimeInput& input) {
  json::object resources{{"devices", json::array{json::object{{"allow", false}, {"access", "rwm"}}}}};
  if (input.spec.memory_bytes > 0) {
    json::object memory{{"limit", input.spec.memory_bytes}};
    if (input.limit_swap) memory["swap"] = input.spec.memory_bytes;  // memory and swap together: no swap
    resources["memory"] = std::move(memory);
  }
  if (input.spec.cpu_shares > 0) resources["cpu"] = json::object{{"shares", std::max(2, input.spec.cpu_shares)}};
  return resources;
}

// "SystemControl": those of the task's own network and of its interprocess communication.
void check_sysctl(const std::string& name) {
  static constexpr std::array<std::string_view, 10> kOwn = {
      "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni",          "kernel.sem", "kernel.shmall",
      "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced", "fs.mqueue.", "net."};
  const bool own = std::ranges::any_of(kOwn, [&](std::string_view allowed) {
    return allowed.ends_with('.') ? name.starts_with(allowed) : name == allowed;
  });
  if (!own || name.find("..") != std::string::npos || name.find('/') != std::string::npos)
    refuse("the kernel parameter " + name + " is not one of the task's own");
}

json::object linux_of(const RuntimeInput& input) {
  json::array namespaces;
  // With a cgroup namespace the container's own cgroup is the root it sees, and the only one.
  for (const char* type : {"pid", "ipc", "uts", "mount", "cgroup"}) namespaces.push_back(json::object{{"type", type}});
  namespaces.push_back(json::object{{"type", "network"}, {"path", input.network_namespace}});
  json::object sysctls;
  for (const auto& [name, value] : input.spec.sysctls) {
    check_sysctl(name);
    sysctls[name] = value;
  }
  return {{"cgroupsPath", input.cgroup},
          {"resources", resources_of(input)},
          {"namespaces", std::move(namespaces)},
          {"sysctl", std::move(sysctls)},
          {"seccomp", seccomp_profile(capabilities_of(input.spec))},
          {"maskedPaths", strings(kMaskedPaths)},
          {"readonlyPaths", strings(kReadOnlyPaths)}};
}

void check_served(const RuntimeInput& input) {
  if (input.spec.privileged) refuse("privileged containers are not served");
  if (input.spec.init_process) refuse("an init process inside the container (initProcessEnabled) is not served");
  if (input.network_namespace.empty()) refuse("the container has no network namespace");
}

}  // namespace

std::vector<std::string> arguments_of(const ContainerSpec& spec, const ImageConfig& image) {
  std::vector<std::string> arguments = spec.entry_point.empty() ? image.entry_point : spec.entry_point;
  const std::vector<std::string>& command =
      spec.command.empty() && spec.entry_point.empty() ? image.command : spec.command;
  arguments.insert(arguments.end(), command.begin(), command.end());
  if (arguments.empty()) refuse("No command specified");
  return arguments;
}

std::vector<std::string> environment_of(const RuntimeInput& input) {
  std::map<std::string, std::string> all = {
      {"PATH", kDefaultPath}, {"HOME", input.user.home}, {"HOSTNAME", input.hostname}};
  for (const std::string& setting : input.image.environment) {
    const std::size_t equals = setting.find('=');
    if (equals != std::string::npos) all[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  // Over the image's: a base image that names its own bundle does not know this cloud's authority.
  if (!input.trust_file.empty()) {
    for (const char* name : kTrustVariables) all[name] = input.trust_file;
  }
  for (const auto& [name, value] : input.spec.environment) all[name] = value;
  std::vector<std::string> out;
  for (const auto& [name, value] : all) out.push_back(name + "=" + value);
  return out;
}

std::vector<std::string> capabilities_of(const ContainerSpec& spec) {
  std::vector<std::string> all(kDefaultCapabilities.begin(), kDefaultCapabilities.end());
  for (const std::string& name : spec.drop_capabilities) {
    const std::string dropped = capability(name);
    std::erase_if(all, [&](const std::string& held) { return dropped == "CAP_ALL" || held == dropped; });
  }
  for (const std::string& name : spec.add_capabilities) {
    const std::string added = capability(name);
    // Root in a container is root of the machine, held back by what it lacks: others than these would let it out.
    // "KernelCapabilities": on Fargate only SYS_PTRACE can be added.
    const bool usual = std::ranges::find(kDefaultCapabilities, std::string_view(added)) != kDefaultCapabilities.end();
    if (!usual && added != "CAP_SYS_PTRACE") refuse("adding the capability " + added + " is not served");
    if (std::ranges::find(all, added) == all.end()) all.push_back(added);
  }
  std::ranges::sort(all);
  return all;
}

int signal_number(std::string_view name) {
  static const std::map<std::string_view, int> kSignals = {
      {"HUP", SIGHUP},   {"INT", SIGINT},   {"QUIT", SIGQUIT},   {"ABRT", SIGABRT}, {"KILL", SIGKILL},
      {"USR1", SIGUSR1}, {"USR2", SIGUSR2}, {"PIPE", SIGPIPE},   {"ALRM", SIGALRM}, {"TERM", SIGTERM},
      {"CONT", SIGCONT}, {"STOP", SIGSTOP}, {"WINCH", SIGWINCH}, {"PWR", SIGPWR}};
  std::int64_t number = 0;
  if (name.empty()) return SIGTERM;
  if (parse_int(name, number)) return number > 0 && number < 65 ? static_cast<int>(number) : SIGTERM;
  if (name.starts_with("SIG")) name.remove_prefix(3);
  if (const auto found = kSignals.find(name); found != kSignals.end()) return found->second;
  if (name.starts_with("RTMIN+") && parse_int(name.substr(6), number) && number >= 0 && number <= 30) {
    return SIGRTMIN + static_cast<int>(number);
  }
  refuse("unknown stop signal " + std::string(name));
}

std::string render_hosts(const ContainerSpec& spec) {
  std::string text = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";
  for (const auto& [name, address] : spec.hosts) text += address + "\t" + name + "\n";
  return text;
}

std::string render_resolv_conf(const ContainerSpec& spec) {
  std::string text;
  for (const std::string& server : spec.dns_servers) text += "nameserver " + server + "\n";
  if (!spec.dns_search.empty()) text += "search " + join(spec.dns_search, " ") + "\n";
  return text;
}

std::string render_runtime_config(const RuntimeInput& input) {
  check_served(input);
  const std::string& stop = input.image.stop_signal;
  return json::serialize(
      json::object{{"ociVersion", "1.0.2"},
                   {"process", process_of(input)},
                   {"root", json::object{{"path", input.root}, {"readonly", input.spec.read_only_root}}},
                   {"hostname", input.hostname},
                   {"mounts", mounts_of(input)},
                   {"annotations", json::object{{"brume.stop-signal", std::to_string(signal_number(stop))},
                                                {"brume.clock", input.spec.follows_clock ? "cloud" : "machine"}}},
                   {"linux", linux_of(input)}});
}

}  // namespace brume::containers

#include "app/internet.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "app/tool_list.h"
#include "core/system.h"
#include "planes/time/launcher.h"

extern char** environ;

namespace brume::app {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what + ": " + std::strerror(errno)); }

void write_file(const std::string& path, const std::string& text, mode_t mode) {
  const std::string fresh = path + "." + std::to_string(getpid());
  std::ofstream(fresh) << text;
  chmod(fresh.c_str(), mode);
  fs::rename(fresh, path);
}

void bind(const std::string& source, const std::string& target) {
  if (mount(source.c_str(), target.c_str(), nullptr, MS_BIND, nullptr) != 0) fail("cannot bind " + target);
}

// The files that differ inside: made once per instance in its run directory, world-readable.
struct Files {
  std::string bundle, resolv, nsswitch, nothing, shims;
};

// A `docker` that builds, tags, pushes and pulls without a daemon: the host's would leave for the real AWS (DECISIONS
// 8).
constexpr const char* kDockerShim = R"sh(#!/bin/sh
# docker for brume exec: build, tag, push, pull, login, images and rmi by buildah; nothing else is served.
command=$1
[ $# -gt 0 ] && shift
if [ "$command" = buildx ]; then
  command=$1
  shift
fi
storage=${STORAGE_DRIVER:-overlay}
case "$command" in
  build) exec buildah --storage-driver "$storage" build --isolation chroot "$@" ;;
  tag | push | pull | login | logout | images | rmi) exec buildah --storage-driver "$storage" "$command" "$@" ;;
  version | --version) echo "Docker shim of brume exec (buildah)" && exit 0 ;;
esac
echo "docker $command is not served inside brume exec: containers run as ECS tasks here" >&2
echo "(build, tag, push, pull, login, images and rmi work, by buildah)" >&2
exit 64
)sh";

Files make_files(const Instance& instance) {
  const std::string directory = instance.run + "/exec";
  fs::create_directories(directory + "/bin");
  chmod(directory.c_str(), 0755);
  Files files{directory + "/ca-bundle.crt", directory + "/resolv.conf", directory + "/nsswitch.conf",
              directory + "/empty", directory + "/bin"};
  write_file(files.bundle,
             read_file("/etc/ssl/certs/ca-certificates.crt") + "\n" + read_file(instance.authority() + "/ca.pem"),
             0644);
  write_file(files.resolv, std::string("nameserver ") + kDnsAddress + "\noptions timeout:2\n", 0644);
  std::istringstream lines(read_file("/etc/nsswitch.conf"));
  std::string text = "hosts: files dns\n";
  for (std::string line; std::getline(lines, line);)
    if (!line.starts_with("hosts:")) text += line + "\n";
  write_file(files.nsswitch, text, 0644);
  write_file(files.nothing, "", 0600);
  write_file(files.shims + "/docker", kDockerShim, 0755);
  return files;
}

void enter_namespaces(const Instance& instance) {
  int fd = open(instance.internet_namespace().c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail("cannot open the internet namespace (is the cloud up, and are you root?)");
  if (setns(fd, CLONE_NEWNET) != 0) fail("cannot enter the internet namespace (try sudo)");
  close(fd);
  if (unshare(CLONE_NEWNS) != 0) fail("cannot make a mount namespace");
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) fail("cannot make mounts private");
}

void bind_files(const Files& files) {
  bind(files.resolv, fs::canonical("/etc/resolv.conf").string());
  if (fs::exists("/etc/nsswitch.conf")) bind(files.nsswitch, "/etc/nsswitch.conf");
  if (fs::exists("/etc/ssl/certs/ca-certificates.crt"))
    bind(files.bundle, fs::canonical("/etc/ssl/certs/ca-certificates.crt").string());
  for (const char* socket :
       {"/run/docker.sock", "/run/podman/podman.sock", "/run/containerd/containerd.sock", "/run/nscd/socket",
        "/run/systemd/resolve/io.systemd.Resolve", "/run/dbus/system_bus_socket"})
    if (fs::exists(socket)) bind(files.nothing, socket);
}

// `sudo brume exec` runs the tool as the user who called sudo, with all of that user's groups (DECISIONS 7).
void become_invoking_user(std::map<std::string, std::string>& variables) {
  auto sudo = variables.find("SUDO_UID");
  if (geteuid() != 0 || sudo == variables.end() || sudo->second == "0") return;
  const passwd* user = getpwuid(static_cast<uid_t>(std::strtoul(sudo->second.c_str(), nullptr, 10)));
  if (user == nullptr) throw std::runtime_error("the user who called sudo is unknown");
  const std::string name = user->pw_name;
  variables["HOME"] = user->pw_dir;
  variables["USER"] = variables["LOGNAME"] = name;
  if (initgroups(name.c_str(), user->pw_gid) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)
    fail("cannot become " + name);
}

std::map<std::string, std::string> present_environment() {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    std::string text = *entry;
    std::size_t equals = text.find('=');
    if (equals != std::string::npos) variables[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return variables;
}

}  // namespace

std::map<std::string, std::string> tool_environment(const std::map<std::string, std::string>& present,
                                                    const std::string& bundle, const std::string& ca) {
  std::map<std::string, std::string> variables = present;
  // Overridden, not set when missing: a shell may have its own already, and the tool would then distrust this cloud.
  for (const char* name : {"SSL_CERT_FILE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO",
                           "PIP_CERT", "HTTPLIB2_CA_CERTS"})
    variables[name] = bundle;
  variables["NODE_EXTRA_CA_CERTS"] = ca;
  variables.erase("SSL_CERT_DIR");
  // Endpoint overrides would lead away from the real host names, which are this cloud here.
  for (auto entry = variables.begin(); entry != variables.end();)
    entry = entry->first.starts_with("AWS_ENDPOINT_URL") ? variables.erase(entry) : std::next(entry);
  const bool own_credentials = variables.contains("AWS_ACCESS_KEY_ID") || variables.contains("AWS_PROFILE") ||
                               variables.contains("AWS_WEB_IDENTITY_TOKEN_FILE");
  if (!own_credentials) {
    variables["AWS_ACCESS_KEY_ID"] = "test";
    variables["AWS_SECRET_ACCESS_KEY"] = "test";
    variables.erase("AWS_SESSION_TOKEN");
  }
  if (!variables.contains("AWS_REGION") && !variables.contains("AWS_DEFAULT_REGION"))
    variables["AWS_DEFAULT_REGION"] = "us-east-1";
  variables["AWS_EC2_METADATA_DISABLED"] = "true";
  variables["CHECKPOINT_DISABLE"] = "1";
  for (const char* name : {"NO_PROXY", "no_proxy"}) {
    std::string& list = variables[name];
    list += (list.empty() ? "" : ",") + std::string(".amazonaws.com,.api.aws,.on.aws,.aws.dev,.cloudfront.net");
  }
  return variables;
}

void enter_internet(const Instance& instance, const EnterOptions& options) {
  std::map<std::string, std::string> variables = present_environment();
  const Files files = make_files(instance);
  enter_namespaces(instance);
  bind_files(files);
  variables = tool_environment(variables, files.bundle, instance.authority() + "/ca.pem");
  variables["PATH"] = files.shims + ":" + variables["PATH"];
  variables["BRUME_STATE"] = instance.state;
  bool follows_clock = options.follow_clock;
  if (follows_clock) {
    const std::string problem = time::follow_clock({.page = instance.clock(), .inside = {}});
    follows_clock = problem.empty();
    if (!follows_clock) std::fprintf(stderr, "brume: %s: it keeps the machine's clock\n", problem.c_str());
  }
  std::string words;
  for (const std::string& word : options.command) words += (words.empty() ? "" : " ") + word;
  note_tool(instance, follows_clock, words);
  become_invoking_user(variables);
  std::vector<std::string> entries;
  for (const auto& [name, value] : variables) entries.push_back(name + "=" + value);
  std::vector<char*> environment, arguments;
  for (std::string& entry : entries) environment.push_back(entry.data());
  environment.push_back(nullptr);
  std::vector<std::string> command = options.command;
  for (std::string& argument : command) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  setenv("PATH", variables["PATH"].c_str(), 1);  // execvpe searches the caller's PATH
  execvpe(arguments[0], arguments.data(), environment.data());
  fail("cannot run " + command[0]);
}

}  // namespace brume::app

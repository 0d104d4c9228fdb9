// `brume doctor`: what this kernel and this user can and cannot do, and what to install.
#include <sched.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "app/commands/commands.h"
#include "app/instance.h"
#include "core/text.h"

namespace brume::app {
namespace fs = std::filesystem;
namespace {

struct Finding {
  enum class Level { good, limited, missing } level;
  std::string what, advice;
};

std::string find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  const std::string directories = std::string(path != nullptr ? path : "") + ":/usr/sbin:/sbin";
  for (std::string_view directory : split(directories, ':')) {
    const std::string file = std::string(directory) + "/" + name;
    if (access(file.c_str(), X_OK) == 0) return file;
  }
  return {};
}

// Whether a child of ours can make namespaces of these kinds: tried, not guessed.
bool can_unshare(int flags) {
  const pid_t child = fork();
  if (child == 0) _exit(unshare(flags) == 0 ? 0 : 1);
  int status = 1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::string first_line(const std::string& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

void look_at_programs(std::vector<Finding>& findings) {
  struct Program {
    const char *name, *package, *use;
  };
  constexpr Program kPrograms[] = {{"nft", "nftables", "security groups and NAT"},
                                   {"runc", "runc", "containers"},
                                   {"haproxy", "haproxy", "load balancers"},
                                   {"skopeo", "skopeo", "images of other registries"},
                                   {"slirp4netns", "slirp4netns", "the real internet for tools in exec"},
                                   {"buildah", "buildah", "building and pushing images"},
                                   {"terraform", "", "Terraform systems (developer.hashicorp.com/terraform/install)"},
                                   {"aws", "awscli", "the aws command line"}};
  for (const Program& program : kPrograms) {
    const std::string path = find_program(program.name);
    const std::string package = program.package;
    if (!path.empty())
      findings.push_back({Finding::Level::good, std::string(program.name) + " at " + path, {}});
    else
      findings.push_back({Finding::Level::missing, std::string(program.name) + " is missing: " + program.use,
                          package.empty() ? "" : "apt-get install " + package});
  }
}

void look_at_kernel(std::vector<Finding>& findings) {
  utsname name{};
  uname(&name);
  findings.push_back({std::string(name.machine) == "x86_64" ? Finding::Level::good : Finding::Level::missing,
                      std::string("Linux ") + name.release + " on " + name.machine,
                      std::string(name.machine) == "x86_64" ? "" : "Brume is promised for x86-64"});
  if (geteuid() == 0) {
    const bool namespaces = can_unshare(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID);
    findings.push_back({namespaces ? Finding::Level::good : Finding::Level::missing,
                        namespaces ? "network, mount and process namespaces can be made" : "namespaces cannot be made",
                        namespaces ? "" : "run outside of a container, or with CAP_SYS_ADMIN"});
  } else {
    const bool rootless = can_unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS);
    findings.push_back({Finding::Level::limited,
                        rootless
                            ? "you are not root; user namespaces work here, but brume up needs root in this version"
                            : "you are not root, and user namespaces are closed",
                        "sudo brume up"});
  }
  const bool overlay = first_line("/proc/filesystems").empty() || [] {
    std::ifstream file("/proc/filesystems");
    for (std::string line; std::getline(file, line);)
      if (line.ends_with("overlay")) return true;
    return false;
  }();
  findings.push_back({overlay ? Finding::Level::good : Finding::Level::missing,
                      overlay ? "overlayfs is there" : "overlayfs is missing: containers cannot start",
                      overlay ? "" : "modprobe overlay"});
  const bool v1 = fs::exists("/sys/fs/cgroup/memory") && fs::exists("/sys/fs/cgroup/cpu");
  const bool v2 = fs::exists("/sys/fs/cgroup/cgroup.controllers") &&
                  first_line("/sys/fs/cgroup/cgroup.controllers").find("memory") != std::string::npos;
  findings.push_back({v1 || v2 ? Finding::Level::good : Finding::Level::limited,
                      v1   ? "cgroup v1: cpu and memory limits hold"
                      : v2 ? "cgroup v2: cpu and memory limits hold"
                           : "no cgroup controllers for cpu and memory: limits do not hold",
                      {}});
}

void look_at_space(std::vector<Finding>& findings, const std::string& state) {
  std::string directory = state;
  while (!fs::exists(directory)) directory = fs::path(directory).parent_path().string();
  struct statvfs space{};
  statvfs(directory.c_str(), &space);
  const std::uint64_t free_mib = space.f_bavail * space.f_frsize >> 20;
  findings.push_back({free_mib > 2048 ? Finding::Level::good : Finding::Level::limited,
                      std::to_string(free_mib) + " MiB free for the state in " + state,
                      free_mib > 2048 ? "" : "images need room"});
}

void look_at_tools(std::vector<Finding>& findings) {
  const std::string debian_aws = "/usr/bin/aws";
  if (fs::exists(debian_aws) && fs::exists("/usr/share/doc/awscli"))
    findings.push_back({Finding::Level::limited,
                        "the distribution's aws cli may be older than 2.13 and not know AWS_ENDPOINT_URL",
                        "use it through brume exec, never with brume env"});
}

}  // namespace

int run_doctor(const std::string& state) {
  std::vector<Finding> findings;
  look_at_kernel(findings);
  look_at_programs(findings);
  look_at_space(findings, state_directory(state));
  look_at_tools(findings);
  int missing = 0;
  for (const Finding& finding : findings) {
    const char* mark = finding.level == Finding::Level::good      ? "ok     "
                       : finding.level == Finding::Level::limited ? "limited"
                                                                  : "MISSING";
    std::printf("%s  %s%s%s\n", mark, finding.what.c_str(), finding.advice.empty() ? "" : "  -> ",
                finding.advice.c_str());
    missing += finding.level == Finding::Level::missing ? 1 : 0;
  }
  return missing == 0 ? 0 : 1;
}

}  // namespace brume::app

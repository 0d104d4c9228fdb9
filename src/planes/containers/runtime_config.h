// The OCI runtime's config.json for a container: a pure function of what is to run, with Docker's defaults for what a
// container may do.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "planes/containers/containers.h"
#include "planes/containers/image_user.h"
#include "planes/containers/images.h"

namespace brume::containers {

struct RuntimeInput {
  ContainerSpec spec;
  ImageConfig image;
  User user;
  std::string hostname;
  std::string root;               // the mounted root directory
  std::string network_namespace;  // a path, as runc sees it
  std::string cgroup;             // inside every hierarchy
  bool limit_swap = true;         // the kernel counts swap
  // Files shown in the container: source, destination. Rendered ones (hosts, hostname, resolv.conf), and read-only
  // ones.
  std::vector<std::pair<std::string, std::string>> files, read_only_files;
  std::string trust_file;  // inside the container: the bundle that TLS clients are told of; empty: none
};

// Throws PlaneError{permanent} naming what is not served or not valid: the task's stopped reason.
std::string render_runtime_config(const RuntimeInput& input);

// Docker's rules for ENTRYPOINT and CMD: an entry point of the task drops the image's command.
std::vector<std::string> arguments_of(const ContainerSpec& spec, const ImageConfig& image);
std::vector<std::string> environment_of(const RuntimeInput& input);
std::vector<std::string> capabilities_of(const ContainerSpec& spec);
// "SIGTERM", "TERM", "15", "SIGRTMIN+3" → its number; 15 for "".
int signal_number(std::string_view name);

std::string render_hosts(const ContainerSpec& spec);
std::string render_resolv_conf(const ContainerSpec& spec);

}  // namespace brume::containers

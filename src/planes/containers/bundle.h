// A container's directory on disk: what runc and overlayfs need before it can start. Runs on workers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "planes/containers/containers.h"
#include "planes/containers/images.h"

namespace brume::containers {

struct BundleInput {
  ContainerSpec spec;
  Image image;
  std::vector<std::string> layers;  // directories, lowest first
  std::string directory;            // the container's own
  std::string hostname, network_namespace, cgroup;
  bool limit_swap = true;
  std::string ca_bundle_path;   // empty: none
  std::string trust_directory;  // where bundles merged with an image's own are kept
  std::string clock_page;       // shown in the container when it follows the clock
};

struct Bundle {
  OverlayMount overlay;
  std::string pid_file;
  int stop_signal = 15;
};

// Makes the directory, its files and config.json anew. Throws PlaneError{permanent} with the reason why the container
// cannot run.
Bundle make_bundle(const BundleInput& input);
std::string root_of_bundle(const std::string& directory);
// What make_bundle wrote into config.json, for a container that an earlier daemon started.
int stop_signal_of_bundle(const std::string& directory);
bool follows_clock_of_bundle(const std::string& directory);
// Where a container that follows the clock sees its page: below /dev, which is no part of the image.
inline constexpr const char* kClockInside = "/dev/brume-clock";

}  // namespace brume::containers

// Mounts and cgroups of an instance: made and removed by the keeper, in its own mount namespace. Plain functions, any
// thread. Each throws PlaneError when the kernel refuses.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "planes/keeper/keeper.h"

namespace brume::keeper {

void mount_overlay(const OverlayMount& mount);
// Detaches every mount at `path` or below it.
void unmount_below(const std::string& path);
// The mount points at `path` or below it, in a text of the form of /proc/self/mountinfo, last mounted first.
std::vector<std::string> mount_points_below(std::string_view mountinfo, std::string_view path);

// `cgroup` is a path inside every hierarchy ("/brume/0a1b2c"). Made with its parents wherever that is allowed: while it
// is there, another instance that ends does not take the parent away.
void make_cgroup(const std::string& cgroup);
// Processes in it and below are killed; then the directories are removed. Absent ones are no error.
void kill_cgroup(const std::string& cgroup);
void remove_cgroup(const std::string& cgroup);
// The roots of the hierarchies mounted on this machine: version 1's controllers, or version 2's one root.
std::vector<std::string> cgroup_roots();
// The file system root that holds the controller: /sys/fs/cgroup/memory or, on version 2, /sys/fs/cgroup. Empty when
// there is none.
std::string cgroup_root_of(std::string_view controller);
bool cgroups_are_version_2();

}  // namespace brume::keeper

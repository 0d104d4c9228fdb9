// A sandbox's and a container's cgroups: what is written and how what the kernel says is read, for both versions. The
// rendering is pure; the rest reads or writes files and runs on workers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "planes/containers/containers.h"

namespace brume::containers {

// Where this machine has its controllers. Roots are directories; empty: there is no such controller.
struct CgroupLayout {
  bool version_2 = false;
  std::string cpu, memory, accounting;  // version 2: all the same
  bool counts_swap = true;
  std::string processes;  // version 2: all the same
  bool operator==(const CgroupLayout&) const = default;
};
CgroupLayout cgroup_layout();

// Processes and threads of a sandbox together: a fork bomb in one leaves the machine its own.
inline constexpr int kMostProcesses = 4096;

struct CgroupWrite {
  std::string file, text;
  bool required = true;  // false: a kernel without the file is fine
  bool operator==(const CgroupWrite&) const = default;
};
// The limits that all containers of the sandbox share, in order; directories are made on the way.
std::vector<CgroupWrite> render_sandbox_limits(const CgroupLayout& layout, const std::string& cgroup,
                                               const SandboxSpec& spec);
// Throws PlaneError when the kernel refuses a required one.
void write_limits(const std::vector<CgroupWrite>& writes);

Usage read_usage(const CgroupLayout& layout, const std::string& cgroup);
// Processes of the cgroup that were killed for want of memory.
std::uint64_t count_out_of_memory(const CgroupLayout& layout, const std::string& cgroup);
// The number after "NAME " in a file of such lines; 0 when there is none.
std::uint64_t keyed_number(std::string_view text, std::string_view name);

}  // namespace brume::containers

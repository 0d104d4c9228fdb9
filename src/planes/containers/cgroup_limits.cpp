#include "planes/containers/cgroup_limits.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "core/system.h"
#include "core/text.h"
#include "planes/keeper/mounts.h"

namespace brume::containers {
namespace {

constexpr std::int64_t kPeriodUs = 100'000;
constexpr std::int64_t kCpuUnits = 1024;  // of one vCPU
constexpr std::int64_t kLeastQuotaUs = 1000;

std::uint64_t number_in(const std::string& path) {
  std::int64_t value = 0;
  const std::string text = read_file(path);
  return parse_int(trim(text), value) && value > 0 ? static_cast<std::uint64_t>(value) : 0;  // "max" is no limit
}

std::int64_t quota_us(int cpu_units) {
  return std::max(kLeastQuotaUs, static_cast<std::int64_t>(cpu_units) * kPeriodUs / kCpuUnits);
}

std::vector<CgroupWrite> render_version_1(const CgroupLayout& layout, const std::string& cgroup,
                                          const SandboxSpec& spec) {
  std::vector<CgroupWrite> writes;
  if (spec.cpu_units > 0) {
    const std::string directory = layout.cpu + cgroup;
    writes.push_back({directory + "/cpu.cfs_period_us", std::to_string(kPeriodUs)});
    writes.push_back({directory + "/cpu.cfs_quota_us", std::to_string(quota_us(spec.cpu_units))});
  }
  if (spec.memory_bytes > 0) {
    const std::string directory = layout.memory + cgroup;
    const std::string bytes = std::to_string(spec.memory_bytes);
    writes.push_back({directory + "/memory.use_hierarchy", "1", false});  // newer kernels always do
    writes.push_back({directory + "/memory.limit_in_bytes", bytes});
    if (layout.counts_swap) writes.push_back({directory + "/memory.memsw.limit_in_bytes", bytes});
  }
  if (!layout.processes.empty())
    writes.push_back({layout.processes + cgroup + "/pids.max", std::to_string(kMostProcesses)});
  return writes;
}

std::vector<CgroupWrite> render_version_2(const CgroupLayout& layout, const std::string& cgroup,
                                          const SandboxSpec& spec) {
  std::vector<CgroupWrite> writes;
  // A controller reaches a directory when each one above it hands it down.
  std::string above = layout.memory;
  writes.push_back({above + "/cgroup.subtree_control", "+cpu +memory +pids", false});
  for (const std::string_view part : split(std::string_view(cgroup).substr(1), '/')) {
    above.append("/").append(part);
    writes.push_back({above + "/cgroup.subtree_control", "+cpu +memory +pids"});
  }
  if (spec.cpu_units > 0) {
    writes.push_back({above + "/cpu.max", std::to_string(quota_us(spec.cpu_units)) + " " + std::to_string(kPeriodUs)});
  }
  if (spec.memory_bytes > 0) {
    writes.push_back({above + "/memory.max", std::to_string(spec.memory_bytes)});
    writes.push_back({above + "/memory.swap.max", "0", false});
  }
  writes.push_back({above + "/pids.max", std::to_string(kMostProcesses)});
  return writes;
}

}  // namespace

CgroupLayout cgroup_layout() {
  CgroupLayout layout;
  layout.version_2 = keeper::cgroups_are_version_2();
  layout.cpu = keeper::cgroup_root_of("cpu");
  layout.memory = keeper::cgroup_root_of("memory");
  layout.accounting = layout.version_2 ? layout.cpu : keeper::cgroup_root_of("cpuacct");
  layout.processes = layout.version_2 ? layout.cpu : keeper::cgroup_root_of("pids");
  layout.counts_swap = layout.version_2 || std::filesystem::exists(layout.memory + "/memory.memsw.limit_in_bytes");
  return layout;
}

std::vector<CgroupWrite> render_sandbox_limits(const CgroupLayout& layout, const std::string& cgroup,
                                               const SandboxSpec& spec) {
  return layout.version_2 ? render_version_2(layout, cgroup, spec) : render_version_1(layout, cgroup, spec);
}

void write_limits(const std::vector<CgroupWrite>& writes) {
  for (const CgroupWrite& write : writes) {
    std::filesystem::create_directories(std::filesystem::path(write.file).parent_path());
    std::ofstream file(write.file);
    file << write.text << std::flush;
    if (!file && write.required) throw_errno("writing " + write.text + " to " + write.file);
  }
}

std::uint64_t keyed_number(std::string_view text, std::string_view name) {
  for (const std::string_view line : split(text, '\n')) {
    std::int64_t value = 0;
    if (line.starts_with(name) && line.size() > name.size() && line[name.size()] == ' ' &&
        parse_int(trim(line.substr(name.size() + 1)), value) && value > 0) {
      return static_cast<std::uint64_t>(value);
    }
  }
  return 0;
}

Usage read_usage(const CgroupLayout& layout, const std::string& cgroup) {
  Usage usage;
  const std::string memory = layout.memory + cgroup;
  if (layout.version_2) {
    usage.cpu_ns = keyed_number(read_file(layout.cpu + cgroup + "/cpu.stat"), "usage_usec") * 1000;
    usage.memory_bytes = number_in(memory + "/memory.current");
    usage.memory_limit_bytes = number_in(memory + "/memory.max");
    return usage;
  }
  usage.cpu_ns = number_in(layout.accounting + cgroup + "/cpuacct.usage");
  usage.memory_bytes = number_in(memory + "/memory.usage_in_bytes");
  usage.memory_limit_bytes = number_in(memory + "/memory.limit_in_bytes");
  // "None" is the largest number of whole pages.
  if (usage.memory_limit_bytes >= (1ULL << 62U)) usage.memory_limit_bytes = 0;
  return usage;
}

std::uint64_t count_out_of_memory(const CgroupLayout& layout, const std::string& cgroup) {
  const std::string file = layout.version_2 ? "/memory.events" : "/memory.oom_control";
  return keyed_number(read_file(layout.memory + cgroup + file), "oom_kill");
}

}  // namespace brume::containers

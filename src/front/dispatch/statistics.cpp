#include "front/dispatch/statistics.h"

#include <algorithm>

namespace brume::front {
namespace {

// Names come from clients: nobody may fill the memory with them.
constexpr std::size_t kNames = 2000;

void add(std::map<std::string, std::uint64_t>& counts, const std::string& name) {
  if (const auto found = counts.find(name); found != counts.end())
    ++found->second;
  else if (counts.size() < kNames)
    counts.emplace(name, 1);
}

}  // namespace

void Statistics::count_request() {
  const std::lock_guard lock(mutex_);
  ++counts_.requests;
}

void Statistics::count_malformed() {
  const std::lock_guard lock(mutex_);
  ++counts_.malformed;
}

void Statistics::count_call(const std::string& operation, std::uint64_t microseconds, bool failed) {
  const std::lock_guard lock(mutex_);
  OperationTimes& times = counts_.operations[operation];
  ++times.calls;
  if (failed) ++times.errors;
  times.total_us += microseconds;
  times.longest_us = std::max(times.longest_us, microseconds);
}

void Statistics::count_refused(const std::string& operation) {
  const std::lock_guard lock(mutex_);
  add(counts_.refused_operations, operation);
}

void Statistics::count_ignored(const std::string& member) {
  const std::lock_guard lock(mutex_);
  add(counts_.ignored_members, member);
}

FrontCounts Statistics::read() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace brume::front

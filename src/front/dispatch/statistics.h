// What `brume status` shows of the front door: how long operations took, and what was refused or ignored. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace brume {

struct OperationTimes {
  std::uint64_t calls = 0;
  std::uint64_t errors = 0;
  std::uint64_t total_us = 0;  // from the whole request being there to its answer; uploading is the client's time
  std::uint64_t longest_us = 0;
};

struct FrontCounts {
  std::map<std::string, OperationTimes> operations;         // "ec2:DescribeVpcs"
  std::map<std::string, std::uint64_t> refused_operations;  // of AWS, not served here: "lambda:CreateFunction"
  std::map<std::string, std::uint64_t> ignored_members;     // unknown to the model: "ecs:RunTask.foo"
  std::uint64_t requests = 0;                               // of any kind
  std::uint64_t malformed = 0;                              // refused before a service was found
};

namespace front {

class Statistics {
 public:
  void count_request();
  void count_malformed();
  void count_call(const std::string& operation, std::uint64_t microseconds, bool failed);
  void count_refused(const std::string& operation);
  void count_ignored(const std::string& member);
  FrontCounts read() const;

 private:
  mutable std::mutex mutex_;
  FrontCounts counts_;
};

}  // namespace front
}  // namespace brume

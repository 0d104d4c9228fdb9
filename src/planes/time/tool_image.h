// What is put into a tool's memory when it begins: the patched copy of the vDSO, the code behind it, the page and the
// slots. Done by system calls in its place, between the end of its exec and its first instruction.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace brume::time {

struct ToolImage {
  bool is_followed = false;
  bool is_go = false;
  std::uint64_t kernel_vdso = 0, vdso_size = 0;
  std::uint64_t system_call = 0;  // where an instruction lies that makes a system call
  std::uint64_t slots = 0;
};

struct PutImage {
  ToolImage image;
  std::string problem;       // empty: the tool follows the clock
  std::optional<int> death;  // with which status it died meanwhile
};

// `thread` is in the stop at the end of its exec. `page_path` as it sees it.
PutImage put_image(pid_t thread, const std::string& page_path);

}  // namespace brume::time

#include "core/allocator.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

// gperftools/malloc_extension_c.h, found only where the program is linked with it.
extern "C" {
[[gnu::weak]] int MallocExtension_SetNumericProperty(const char* property, std::size_t value);
[[gnu::weak]] void MallocExtension_ReleaseFreeMemory();
}

// What tcmalloc calls in memset's place for its tables, which are new memory of the system (cmake/tcmalloc.cmake):
// pages that were never touched are nought already. Runs within the first allocation, before anything else does.
// NOLINTNEXTLINE(bugprone-easily-swappable-parameters): memset's own
extern "C" void* brume_set_new_memory(void* memory, int value, std::size_t size) {
  if (value != 0) return std::memset(memory, value, size);
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  auto* from = static_cast<std::byte*>(memory);
  std::byte* const end = from + size;
  while (from < end) {
    std::array<unsigned char, 512> touched{};
    std::byte* const first = from - reinterpret_cast<std::uintptr_t>(from) % page;
    std::byte* const until = std::min(end, first + touched.size() * page);
    // What the kernel cannot tell counts as touched.
    if (::mincore(first, static_cast<std::size_t>(until - first), touched.data()) != 0) touched.fill(1);
    for (std::size_t i = 0; from < until; ++i) {
      std::byte* const next = std::min(until, first + (i + 1) * page);
      if ((touched.at(i) & 1U) != 0) std::memset(from, 0, static_cast<std::size_t>(next - from));
      from = next;
    }
  }
  return memory;
}

namespace brume {

void give_back_memory_at_once(bool at_once) {
  if (MallocExtension_SetNumericProperty != nullptr)
    MallocExtension_SetNumericProperty("tcmalloc.aggressive_memory_decommit", at_once ? 1 : 0);
}

void give_back_memory() {
  if (MallocExtension_ReleaseFreeMemory != nullptr) MallocExtension_ReleaseFreeMemory();
}

}  // namespace brume

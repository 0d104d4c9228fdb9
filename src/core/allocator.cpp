#include "core/allocator.h"

#include <cstddef>

// gperftools/malloc_extension_c.h, found only where the program is linked with it.
extern "C" {
[[gnu::weak]] int MallocExtension_SetNumericProperty(const char* property, std::size_t value);
[[gnu::weak]] void MallocExtension_ReleaseFreeMemory();
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

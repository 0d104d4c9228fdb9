// The program's operator new and delete: each thread keeps what it freed, by size, for its next request. A request
// makes a hundred small objects and lets them go; glibc's own cache holds seven of a size and is left for its heap by
// the eighth. Everything else is glibc's: what is not kept here is malloc's and free's.
#include <malloc.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>

// The sanitizers have allocators of their own, which must see each object.
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)

namespace {

constexpr std::size_t kStep = 16;         // between glibc's sizes
constexpr std::size_t kLargest = 1024;    // bytes
constexpr std::size_t kKeptBytes = 8192;  // of each size, by a thread
constexpr std::size_t kClasses = kLargest / kStep + 1;

struct Freed {
  Freed* next;
};

// Of one thread. Without constructor and destructor, so that it can be used as long as the thread runs.
struct Kept {
  std::array<Freed*, kClasses> first;
  std::array<std::uint16_t, kClasses> room;  // how many more of the size are kept
  bool is_ready;
};
constinit thread_local Kept kept{};

// Gives back what the thread kept. What is freed after it, by other destructors of the thread's, is not kept.
struct Ending {
  Ending() = default;
  Ending(const Ending&) = delete;
  Ending& operator=(const Ending&) = delete;
  ~Ending() {
    kept.room.fill(0);
    for (Freed*& first : kept.first)
      while (first != nullptr) std::free(std::exchange(first, first->next));
  }
};

// glibc's block for a request of 25 to 40 bytes has 40 of them: the second class.
std::size_t class_of_request(std::size_t size) {
  return size <= kStep + kStep / 2 ? 1 : (size + kStep / 2 - 1) / kStep;
}
std::size_t class_of_block(void* block) { return ::malloc_usable_size(block) / kStep; }

[[gnu::noinline]] void* allocate(std::size_t size) {
  for (;;) {
    if (void* block = std::malloc(size == 0 ? 1 : size)) return block;
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
  }
}

// False: the block is glibc's again.
[[gnu::noinline]] bool get_ready() {
  if (kept.is_ready) return false;
  kept.is_ready = true;
  thread_local const Ending ending;
  for (std::size_t i = 1; i < kClasses; ++i) kept.room[i] = static_cast<std::uint16_t>(kKeptBytes / (i * kStep));
  return true;
}

void deallocate(void* block) {
  if (block == nullptr) return;
  const std::size_t index = class_of_block(block);
  if (index >= kClasses || (kept.room[index] == 0 && !get_ready())) return std::free(block);
  --kept.room[index];
  auto* freed = static_cast<Freed*>(block);
  freed->next = kept.first[index];
  kept.first[index] = freed;
}

}  // namespace

void* operator new(std::size_t size) {
  const std::size_t index = class_of_request(size);
  if (index < kClasses) {
    if (Freed* freed = kept.first[index]) {
      kept.first[index] = freed->next;
      ++kept.room[index];
      return freed;
    }
  }
  return allocate(size);
}
void operator delete(void* block) noexcept { deallocate(block); }
void operator delete(void* block, std::size_t /*size*/) noexcept { deallocate(block); }

#endif

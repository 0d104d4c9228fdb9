#include "core/allocator.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <vector>

extern "C" void* brume_set_new_memory(void* memory, int value, std::size_t size);

namespace brume {
namespace {

constexpr std::size_t kPages = 1300;  // more than are asked for at once

class NewMemory : public testing::Test {
 protected:
  NewMemory()
      : page_(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))),
        size_(kPages * page_),
        memory_(
            static_cast<char*>(::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
    ::madvise(memory_, size_, MADV_NOHUGEPAGE);
  }
  ~NewMemory() override { ::munmap(memory_, size_); }
  std::size_t touched() const {
    std::vector<unsigned char> pages(kPages);
    EXPECT_EQ(::mincore(memory_, size_, pages.data()), 0);
    return static_cast<std::size_t>(std::ranges::count_if(pages, [](unsigned char page) { return (page & 1U) != 0; }));
  }

  std::size_t page_, size_;
  char* memory_;
};

TEST_F(NewMemory, IsLeftUntouchedWhenItIsToBeNought) {
  EXPECT_EQ(brume_set_new_memory(memory_, 0, size_), memory_);
  EXPECT_EQ(touched(), 0U);
}

TEST_F(NewMemory, IsNoughtWhereItWasUsed) {
  std::memset(memory_, 7, 3 * page_);
  std::memset(memory_ + 600 * page_, 7, 2 * page_);
  // Neither end at the border of a page.
  brume_set_new_memory(memory_ + 100, 0, 601 * page_);
  EXPECT_EQ(touched(), 5U);
  EXPECT_EQ(std::count(memory_, memory_ + 100, 7), 100);
  EXPECT_EQ(std::count(memory_ + 100, memory_ + 100 + 601 * page_, 0), static_cast<std::ptrdiff_t>(601 * page_));
  EXPECT_EQ(memory_[100 + 601 * page_], 7);
}

TEST_F(NewMemory, TakesAnyOtherValue) {
  brume_set_new_memory(memory_ + 10, 0x80, page_);
  EXPECT_EQ(memory_[9], 0);
  EXPECT_EQ(std::count(memory_ + 10, memory_ + 10 + page_, static_cast<char>(0x80)),
            static_cast<std::ptrdiff_t>(page_));
  EXPECT_EQ(memory_[10 + page_], 0);
}

}  // namespace
}  // namespace brume

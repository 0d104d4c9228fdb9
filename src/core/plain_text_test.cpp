#include "core/plain_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace brume {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20; }
std::uint64_t may_have_control(std::uint64_t bytes) { return any_below(bytes, 0x20); }

std::size_t found_in(std::string_view text, std::size_t from) {
  return find_special(text, from, may_have_control, is_control);
}

// Every length up to some blocks, every place of the byte in it, every place to begin at.
TEST(PlainText, FindsTheFirstSpecialByteWhereverItStands) {
  for (std::size_t size = 0; size <= 26; ++size) {
    for (std::size_t at = 0; at <= size; ++at) {
      std::string text(size, 'x');
      if (at < size) text[at] = '\x1f';
      for (std::size_t from = 0; from <= size; ++from)
        EXPECT_EQ(found_in(text, from), from <= at ? at : size) << size << " " << at << " " << from;
    }
  }
}

TEST(PlainText, OfTwoItIsTheFirst) {
  for (std::size_t size = 2; size <= 20; ++size)
    for (std::size_t first = 0; first + 1 < size; ++first) {
      std::string text(size, '\xc3');
      text[first] = text[size - 1] = '\n';
      EXPECT_EQ(found_in(text, 0), first);
      EXPECT_EQ(found_in(text, first + 1), size - 1);
    }
}

}  // namespace
}  // namespace brume

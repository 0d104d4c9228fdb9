#include "core/byte_queue.h"

#include <gtest/gtest.h>

namespace brume {
namespace {

TEST(ByteQueue, PassesBytesAndTheEnd) {
  ByteQueue queue(100);
  int woken = 0;
  queue.on_write([&] { ++woken; });
  EXPECT_TRUE(queue.write("ab"));
  EXPECT_TRUE(queue.write("c"));
  queue.end();
  EXPECT_EQ(woken, 3);
  EXPECT_FALSE(queue.at_end());
  EXPECT_EQ(queue.take(), "abc");
  EXPECT_TRUE(queue.at_end());
  EXPECT_FALSE(queue.write("d"));
}

TEST(ByteQueue, TheWriterIsToldOnceThatTheReaderHasGone) {
  ByteQueue queue(100);
  int told = 0;
  queue.on_close([&] { ++told; });
  EXPECT_TRUE(queue.write("a"));
  EXPECT_EQ(told, 0);
  queue.close();
  queue.close();
  EXPECT_EQ(told, 1);
  EXPECT_FALSE(queue.write("b"));
  queue.on_close([&] { ++told; });  // it has gone
  EXPECT_EQ(told, 2);
}

TEST(ByteQueue, AReaderThatTakesNothingIsGivenUpAndTheWriterIsTold) {
  ByteQueue queue(3);
  int told = 0;
  queue.on_close([&] { ++told; });
  EXPECT_TRUE(queue.write("abc"));
  EXPECT_FALSE(queue.write("d"));
  EXPECT_EQ(told, 1);
  EXPECT_TRUE(queue.broken());
  EXPECT_EQ(queue.take(), "");
}

TEST(ByteQueue, NobodyIsToldAfterTheEnd) {
  ByteQueue queue(100);
  int told = 0;
  queue.on_close([&] { ++told; });
  queue.end();
  queue.close();
  EXPECT_EQ(told, 0);
}

}  // namespace
}  // namespace brume

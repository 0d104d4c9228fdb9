#include "store/pending_writes.h"

#include <gtest/gtest.h>

#include "core/testing.h"
#include "store/store.h"

namespace brume {
namespace {

struct Pending : testing::Test {
  ManualRuntime runtime;
  PendingWrites writes{runtime.control, runtime.clock, "test"};
  bool full = false;
  std::vector<std::string> written;
  std::function<void()> writing(const std::string& text) {
    return [this, text] {
      if (full) throw StoreFull("no space");
      written.push_back(text);
    };
  }
};

TEST_F(Pending, WritesAtOnceWhenItCan) {
  writes.write("a", writing("a1"));
  EXPECT_EQ(written, std::vector<std::string>{"a1"});
  EXPECT_TRUE(writes.empty());
  EXPECT_FALSE(runtime.control.next_timer());
}

TEST_F(Pending, TriesAgainUntilThereIsSpaceAndThenOnce) {
  full = true;
  writes.write("a", writing("a1"));
  writes.write("b", writing("b1"));
  runtime.advance(seconds(5));
  EXPECT_TRUE(written.empty());
  full = false;
  runtime.advance(seconds(2));
  EXPECT_EQ(written, (std::vector<std::string>{"a1", "b1"}));
  runtime.advance(seconds(5));
  EXPECT_EQ(written.size(), 2U);
  EXPECT_FALSE(runtime.control.next_timer());
}

TEST_F(Pending, TheLatestOfAKeyIsWritten) {
  full = true;
  writes.write("a", writing("a1"));
  writes.write("a", writing("a2"));
  full = false;
  runtime.advance(seconds(1));
  EXPECT_EQ(written, std::vector<std::string>{"a2"});
  full = true;
  writes.write("a", writing("a3"));
  full = false;
  writes.write("a", writing("a4"));
  runtime.advance(seconds(5));
  EXPECT_EQ(written, (std::vector<std::string>{"a2", "a4"}));
}

TEST_F(Pending, AnOwnerThatIsGoneWritesNothing) {
  full = true;
  {
    PendingWrites other(runtime.control, runtime.clock, "other");
    other.write("a", writing("a1"));
  }
  full = false;
  runtime.advance(seconds(5));
  EXPECT_TRUE(written.empty());
}

}  // namespace
}  // namespace brume

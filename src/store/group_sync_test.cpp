#include "store/group_sync.h"

#include <atomic>
#include <future>
#include <semaphore>
#include <vector>

#include <gtest/gtest.h>

namespace brume {
namespace {

// A disk whose syncs wait to be let through.
struct SlowDisk {
  std::counting_semaphore<> begun{0}, allowed{0};
  std::atomic<int> syncs = 0;
  bool sync() {
    begun.release();
    allowed.acquire();
    ++syncs;
    return true;
  }
};

TEST(GroupSync, TellsAtOnceWhenNothingWasWritten) {
  GroupSync group([] { return true; });
  bool told = false;
  group.when_synced([&] { told = true; });
  EXPECT_TRUE(told);
}

TEST(GroupSync, TellsNobodyBeforeTheSyncHasEnded) {
  SlowDisk disk;
  std::promise<void> told;
  std::future<void> telling = told.get_future();
  std::atomic<bool> early = false;
  {
    GroupSync group([&] { return disk.sync(); });
    group.note_written();
    group.when_synced([&] {
      early = disk.syncs == 0;
      told.set_value();
    });
    disk.begun.acquire();
    EXPECT_EQ(telling.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
    disk.allowed.release();
    telling.get();
  }
  EXPECT_FALSE(early);
  EXPECT_EQ(disk.syncs, 1);
}

TEST(GroupSync, OneSyncServesAllThatCameMeanwhileAndNoneThatBeganBefore) {
  SlowDisk disk;
  std::vector<int> order;
  std::promise<void> all;
  {
    GroupSync group([&] { return disk.sync(); });
    group.note_written();
    group.when_synced([&] { order.push_back(disk.syncs * 100); });
    disk.begun.acquire();  // the first sync runs: what is written now needs another
    for (int i = 1; i <= 5; ++i) {
      group.note_written();
      group.when_synced([&, i] {
        order.push_back(disk.syncs * 100 + i);
        if (i == 5) all.set_value();
      });
    }
    disk.allowed.release(2);
    all.get_future().get();
  }
  EXPECT_EQ(order, (std::vector{100, 201, 202, 203, 204, 205}));
}

TEST(GroupSync, AReaderWaitsForTheWriteThatItSaw) {
  SlowDisk disk;
  std::promise<int> read;
  {
    GroupSync group([&] { return disk.sync(); });
    group.note_written();
    group.when_synced([&] { read.set_value(disk.syncs); });  // it wrote nothing itself
    disk.allowed.release();
    EXPECT_EQ(read.get_future().get(), 1);
  }
}

TEST(GroupSync, SyncsWhatIsLeftAtItsEnd) {
  int syncs = 0;
  bool told = false;
  {
    GroupSync group([&] { return ++syncs > 0; });
    group.note_written();
    group.when_synced([&] { told = true; });
  }
  EXPECT_TRUE(told);
  EXPECT_EQ(syncs, 1);
}

TEST(GroupSyncDeathTest, ADiskThatDoesNotKeepWhatWasWrittenEndsTheProgram) {
  EXPECT_DEATH(
      {
        GroupSync group([] { return false; });
        group.note_written();
        std::promise<void>().get_future().wait_for(std::chrono::seconds(10));
      },
      "can be synced");
}

}  // namespace
}  // namespace brume

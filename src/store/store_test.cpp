#include "store/store.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "core/random.h"
#include "core/testing.h"

namespace brume {
namespace {

using testing::HasSubstr;

std::vector<std::string> keys_of(const Store& store, std::string_view from, std::string_view until,
                                 bool reverse = false) {
  std::vector<std::string> keys;
  store.scan(
      from, until,
      [&](std::string_view key, std::string_view) {
        keys.emplace_back(key);
        return true;
      },
      reverse);
  return keys;
}

std::string refusal(const std::string& directory) {
  try {
    open_store(directory, Durability::process_death);
  } catch (const StoreError& error) {
    return error.message;
  }
  return "opened";
}

// Runs one of the disabled tests below in a process of its own: RocksDB's background threads do not survive a fork.
// Its output end of a pipe is descriptor 3, its directory is in BRUME_TEST_DIRECTORY.
pid_t start_child(const char* test, const std::string& directory, int output) {
  const std::string filter = std::string("--gtest_filter=") + test;
  const pid_t child = ::fork();
  if (child != 0) return child;
  ::setenv("BRUME_TEST_DIRECTORY", directory.c_str(), 1);
  if (output >= 0) ::dup2(output, 3);
  ::execl("/proc/self/exe", "store_test", filter.c_str(), "--gtest_also_run_disabled_tests", "--gtest_brief=1",
          static_cast<char*>(nullptr));
  ::_exit(127);
}

struct BothStores : testing::TestWithParam<bool> {
  TemporaryDirectory directory;
  std::unique_ptr<Store> store =
      GetParam() ? open_store(directory.path() + "/state", Durability::process_death) : memory_store();
};
INSTANTIATE_TEST_SUITE_P(Stores, BothStores, testing::Bool(),
                         [](const auto& instance) { return instance.param ? "Rocks" : "Memory"; });

TEST_P(BothStores, WritesReadsAndScansInOrder) {
  store->write({{{"t/b", "2"}, {"t/a", "1"}, {"t/c", "3"}, {"t/\xff", "4"}}});
  store->write({{{"t/b", std::nullopt}, {"t/none", std::nullopt}}});
  EXPECT_EQ(store->get("t/a"), "1");
  EXPECT_EQ(store->get("t/b"), std::nullopt);
  EXPECT_EQ(keys_of(*store, "t/", "t0"), (std::vector<std::string>{"t/a", "t/c", "t/\xff"}));
  EXPECT_EQ(keys_of(*store, "t/", "", true), (std::vector<std::string>{"t/\xff", "t/c", "t/a"}));
  EXPECT_EQ(keys_of(*store, "t/c", "t/a"), (std::vector<std::string>{}));
  store->erase_range("t/b", "");
  EXPECT_EQ(keys_of(*store, "t/", ""), (std::vector<std::string>{"t/a"}));
}

TEST_P(BothStores, SnapshotsAreFrozen) {
  store->write({{{"t/a", "1"}}});
  const auto snapshot = store->snapshot();
  store->write({{{"t/a", "2"}, {"t/b", "2"}}});
  EXPECT_EQ(snapshot->get("t/a"), "1");
  int seen = 0;
  snapshot->scan("t/", "t0", [&](std::string_view, std::string_view) { return ++seen > 0; });
  EXPECT_EQ(seen, 1);
}

TEST(PrefixEnd, IsTheNextKeyAfterAllOfThem) {
  EXPECT_EQ(prefix_end("a/"), "a0");
  EXPECT_EQ(prefix_end("a\xff"), "b");
  EXPECT_EQ(prefix_end("\xff"), "");
}

TEST(RocksStore, KeepsEverythingOverAReopenWithBothDurabilities) {
  const TemporaryDirectory directory;
  for (const Durability durability : {Durability::process_death, Durability::power_loss}) {
    const auto store = open_store(directory.path(), durability);
    EXPECT_EQ(store->durability(), durability);
    store->write({{{"t/" + std::to_string(static_cast<int>(durability)), "x"}}});
  }
  EXPECT_EQ(keys_of(*open_store(directory.path(), Durability::process_death), "t/", "t0").size(), 2U);
}

TEST(RocksStore, IsReadableByItsOwnerOnly) {
  const TemporaryDirectory directory;
  const auto store = open_store(directory.path() + "/state", Durability::process_death);
  struct stat status{};
  ASSERT_EQ(::stat((directory.path() + "/state").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700U);
}

TEST(RocksStore, SaysWhoHoldsTheDirectory) {
  const TemporaryDirectory directory;
  const auto store = open_store(directory.path(), Durability::process_death);
  EXPECT_THAT(refusal(directory.path()), HasSubstr("in use by process " + std::to_string(::getpid())));
}

TEST(RocksStore, RefusesANewerFormat) {
  const TemporaryDirectory directory;
  open_store(directory.path(), Durability::process_death)->write({{{"m/format", "4"}}});
  EXPECT_THAT(refusal(directory.path()), HasSubstr("has format 4"));
}

TEST(RocksStore, MakesAnOlderFormatItsOwn) {
  const TemporaryDirectory directory;
  open_store(directory.path(), Durability::process_death)->write({{{"m/format", "1"}, {"t/a", "1"}}});
  EXPECT_EQ(open_store(directory.path(), Durability::process_death)->get("m/format"), "3");
  EXPECT_EQ(open_store(directory.path(), Durability::process_death)->get("t/a"), "1");
}

TEST(RocksStore, RefusesADamagedState) {
  const TemporaryDirectory directory;
  open_store(directory.path(), Durability::process_death)->write({{{"t/a", "1"}}});
  for (const auto& entry : std::filesystem::directory_iterator(directory.path() + "/db")) {
    if (entry.path().filename().string().starts_with("MANIFEST")) std::ofstream(entry.path()) << "garbage";
  }
  EXPECT_THAT(refusal(directory.path()), HasSubstr("Restore a copy"));
}

TEST(RocksStore, RefusesRecordsWithoutAFormat) {
  const TemporaryDirectory directory;
  open_store(directory.path(), Durability::process_death)->write({{{"t/a", "1"}, {"m/format", std::nullopt}}});
  EXPECT_THAT(refusal(directory.path()), HasSubstr("no format"));
}

// Where the newest log of a store is, of which nothing has been written out to a table yet.
std::string log_of(const std::string& directory) {
  std::string newest;
  for (const auto& entry : std::filesystem::directory_iterator(directory + "/db")) {
    const std::string path = entry.path().string();
    if (path.ends_with(".log") && std::filesystem::file_size(path) > 0) newest = std::max(newest, path);
  }
  return newest;
}

struct DamagedLog : testing::TestWithParam<Durability> {
  const TemporaryDirectory directory;
  void SetUp() override {
    const auto store = open_store(directory.path(), GetParam());
    for (int i = 0; i < 100; ++i) store->write({{{"t/" + std::to_string(i), std::string(100, 'x')}}});
  }
};
INSTANTIATE_TEST_SUITE_P(Durabilities, DamagedLog, testing::Values(Durability::process_death, Durability::power_loss));

TEST_P(DamagedLog, IsWholeUntouched) {
  const auto store = open_store(directory.path(), GetParam());
  EXPECT_EQ(keys_of(*store, "t/", "t0").size(), 100U);
}

TEST_P(DamagedLog, IsRefusedWhenItWasCut) {
  const std::string log = log_of(directory.path());
  std::filesystem::resize_file(log, std::filesystem::file_size(log) / 2);
  EXPECT_THAT(refusal(directory.path()), testing::AllOf(HasSubstr("is damaged"), HasSubstr("Restore a copy")));
}

TEST_P(DamagedLog, IsRefusedWhenAByteOfItHasChanged) {
  std::fstream log(log_of(directory.path()), std::ios::in | std::ios::out | std::ios::binary);
  log.seekp(3000);
  log.put('y');
  log.close();
  EXPECT_THAT(refusal(directory.path()), testing::AllOf(HasSubstr("is damaged"), HasSubstr("Restore a copy")));
}

TEST_P(DamagedLog, CanBeGoneOnWithWhenTheLossIsAccepted) {
  const std::string log = log_of(directory.path());
  std::filesystem::resize_file(log, std::filesystem::file_size(log) / 2);
  std::filesystem::remove(directory.path() + "/synced");
  const auto store = open_store(directory.path(), GetParam());
  const std::vector<std::string> keys = keys_of(*store, "t/", "t0");
  EXPECT_TRUE(!keys.empty() && keys.size() < 100U);
}

TEST(RocksStore, RefusesADamagedTable) {
  const TemporaryDirectory directory;
  {
    const auto store = open_store(directory.path(), Durability::process_death);
    // More than the memory's buffers hold: some is written out to tables.
    for (int i = 0; i < 9000; ++i) store->write({{{"t/" + std::to_string(i), std::string(1000, 'x')}}});
  }
  for (const auto& entry : std::filesystem::directory_iterator(directory.path() + "/db")) {
    if (entry.path().extension() != ".sst") continue;
    std::fstream table(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    table.seekp(100);
    table << std::string(50, '?');
  }
  const auto read_all = [&] {
    const auto store = open_store(directory.path(), Durability::process_death);
    keys_of(*store, "t/", "t0");
  };
  try {
    read_all();
    FAIL() << "it was read";
  } catch (const StoreError& error) {
    EXPECT_THAT(error.message, testing::AllOf(HasSubstr("damaged"), HasSubstr("Restore a copy")));
  }
}

TEST(RocksStore, TellsOfADurableWriteAfterItsSync) {
  const TemporaryDirectory directory;
  const auto store = open_store(directory.path(), Durability::power_loss);
  for (int i = 0; i < 10; ++i) {
    store->write({{{"t/a", std::to_string(i)}}});
    std::promise<void> durable;
    store->when_durable([&] { durable.set_value(); });
    durable.get_future().get();
  }
  bool at_once = false;
  store->when_durable([&] { at_once = true; });
  EXPECT_TRUE(at_once) << "nothing was written since";
}

TEST(RocksStore, RefusesAPlaceThatCannotBeWritten) { EXPECT_THAT(refusal("/proc/none"), HasSubstr("--state")); }

TEST(StoreChild, DISABLED_WritesUntilKilled) {
  const auto store = open_store(std::getenv("BRUME_TEST_DIRECTORY"), Durability::process_death);
  const std::string round = std::to_string(::getpid());
  for (std::uint32_t i = 0;; ++i) {
    const std::string name = "t/" + round + "/" + std::to_string(i);
    store->write({{{name + "/a", std::string(400, 'a')}, {name + "/b", std::string(400, 'b')}}});
    ASSERT_EQ(::write(3, &i, sizeof i), ssize_t{sizeof i});
  }
}

// A child tells each acknowledged number through a pipe; the test kills it in the middle.
TEST(RocksStore, LosesNothingAcknowledgedWhenKilled) {
  const TemporaryDirectory directory;
  for (int round = 0; round < 3; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const pid_t child = start_child("StoreChild.DISABLED_WritesUntilKilled", directory.path(), ends[1]);
    ::close(ends[1]);
    std::uint32_t last = 0;
    const auto read_one = [&] { return ::read(ends[0], &last, sizeof last) == ssize_t{sizeof last}; };
    while (last < 8000 && read_one()) {
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (read_one()) {
    }
    ::close(ends[0]);
    ASSERT_GE(last, 8000U);
    const auto store = open_store(directory.path(), Durability::process_death);
    for (std::uint32_t i = 0; i <= last + 1; ++i) {
      const std::string name = "t/" + std::to_string(child) + "/" + std::to_string(i);
      const bool first = store->get(name + "/a").has_value();
      if (i <= last) {
        ASSERT_TRUE(first) << i;
      }
      ASSERT_EQ(first, store->get(name + "/b").has_value()) << "a torn batch: " << i;
    }
  }
}

std::string noise(std::uint64_t seed) {
  std::string bytes(64 << 10, '\0');
  seeded_random(seed)->fill(bytes.data(), bytes.size());
  return bytes;
}

// On a file system of 64 MiB in a mount namespace of its own.
TEST(StoreChild, DISABLED_FillsItsDisk) {
  const std::string path = std::getenv("BRUME_TEST_DIRECTORY");
  if (::unshare(CLONE_NEWNS) != 0) ::_exit(100);
  ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
  ASSERT_EQ(::mount("tmpfs", path.c_str(), "tmpfs", 0, "size=64m"), 0);
  const auto store = open_store(path + "/state", Durability::process_death);
  ASSERT_TRUE(std::filesystem::exists(path + "/state/reserve"));
  std::uint64_t written = 0;
  const auto fill = [&] {
    for (; written < 4000; ++written) store->write({{{"t/" + std::to_string(written), noise(written)}}});
  };
  EXPECT_THROW(fill(), StoreFull);
  for (std::uint64_t i = 0; i < written; ++i) ASSERT_EQ(store->get("t/" + std::to_string(i)), noise(i)) << i;
  // A compaction may have made a little room meanwhile: it is filled, and refused again.
  EXPECT_THROW(fill(), StoreFull);
  ASSERT_EQ(::mount("tmpfs", path.c_str(), "tmpfs", MS_REMOUNT, "size=160m"), 0);
  // The store goes on by itself, at its next look at the disk.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  const auto writes = [&] {
    try {
      store->write({{{"t/more", "x"}}});
      return true;
    } catch (const StoreFull&) {
      return false;
    }
  };
  while (!writes()) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_EQ(store->get("t/more"), "x");
  EXPECT_TRUE(std::filesystem::exists(path + "/state/reserve"));
}

TEST(RocksStore, AFullDiskRefusesWritesReadsOnAndResumes) {
  const TemporaryDirectory directory;
  const pid_t child = start_child("StoreChild.DISABLED_FillsItsDisk", directory.path(), -1);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 100) GTEST_SKIP() << "a mount namespace is needed, which takes root";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace brume

#include "planes/keeper/spool.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/log.h"
#include "core/system.h"
#include "core/testing.h"
#include "planes/keeper/mounts.h"
#include "planes/keeper/outbox.h"
#include "planes/keeper/protocol.h"

namespace brume::keeper {
namespace {

std::vector<std::string> texts_of(const std::string& records) {
  std::vector<std::string> texts;
  for (const Keeper::Line& line : parse_records("id", records)) texts.push_back(line.text);
  return texts;
}

std::vector<std::uint64_t> deliver_all(Spool& spool) {
  std::vector<std::uint64_t> sequences;
  while (true) {
    const std::string records = spool.deliver(256);
    if (records.empty()) return sequences;
    for (const Keeper::Line& line : parse_records("id", records)) sequences.push_back(line.sequence);
  }
}

std::vector<std::uint64_t> range(std::uint64_t from, std::uint64_t to) {
  std::vector<std::uint64_t> out;
  for (; from <= to; ++from) out.push_back(from);
  return out;
}

TEST(Spool, KeepsTextsStreamsAndMoments) {
  const TemporaryDirectory directory;
  Spool spool(directory.path());
  spool.append(Stream::out, 5, "one");
  spool.append(Stream::err, 6, "");
  const auto lines = parse_records("id", spool.deliver(1000));
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].text, "one");
  EXPECT_EQ(lines[0].at_ms, 5);
  EXPECT_EQ(lines[1].stream, Stream::err);
  EXPECT_EQ(lines[1].sequence, 2U);
  EXPECT_TRUE(spool.all_delivered());
}

// Small limits, so that records go through memory, file and both, and batches end in the middle of everything.
TEST(Spool, TellsEverythingOnceThroughTheFileAndAgainAfterARewind) {
  const TemporaryDirectory directory;
  Spool spool(directory.path(), {.memory_bytes = 300, .total_bytes = 1 << 20, .window_bytes = 1 << 20});
  for (int i = 1; i <= 500; ++i) spool.append(Stream::out, i, std::string(static_cast<std::size_t>(i % 40), 'x'));
  EXPECT_EQ(deliver_all(spool), range(1, 500));
  spool.acknowledge(123);
  spool.rewind();
  EXPECT_EQ(deliver_all(spool), range(124, 500));
  spool.acknowledge(500);
  spool.rewind();
  EXPECT_TRUE(deliver_all(spool).empty());
  spool.append(Stream::out, 1, "next");
  EXPECT_EQ(deliver_all(spool), range(501, 501));
}

TEST(Spool, AcknowledgedPieceByPieceItStaysWhole) {
  const TemporaryDirectory directory;
  Spool spool(directory.path(), {.memory_bytes = 200, .total_bytes = 1 << 20, .window_bytes = 1 << 20});
  std::uint64_t expected = 1;
  for (int i = 0; i < 2000; ++i) {
    spool.append(Stream::out, i, "line " + std::to_string(i));
    if (i % 7 != 0) continue;
    for (const std::uint64_t sequence : deliver_all(spool)) EXPECT_EQ(sequence, expected++);
    spool.acknowledge(expected - 3);
  }
}

TEST(Spool, StopsAtTheWindowUntilAcknowledged) {
  const TemporaryDirectory directory;
  Spool spool(directory.path(), {.memory_bytes = 1 << 20, .total_bytes = 1 << 20, .window_bytes = 1000});
  for (int i = 0; i < 100; ++i) spool.append(Stream::out, 0, std::string(50, 'x'));
  const auto first = deliver_all(spool);
  EXPECT_LT(first.size(), 30U);
  EXPECT_FALSE(spool.all_delivered());
  spool.acknowledge(first.back());
  EXPECT_EQ(deliver_all(spool).front(), first.back() + 1);
}

TEST(Spool, DropsOverTheLimitAndSaysHowMany) {
  const TemporaryDirectory directory;
  Spool spool(directory.path(), {.memory_bytes = 100, .total_bytes = 2000, .window_bytes = 1 << 20});
  for (int i = 0; i < 100; ++i) spool.append(Stream::out, 0, std::string(76, 'x'));  // 100 bytes each
  const auto told = deliver_all(spool);
  EXPECT_EQ(told.size(), 20U);
  spool.acknowledge(told.back());
  spool.append(Stream::out, 0, "after");
  EXPECT_EQ(texts_of(spool.deliver(1000)),
            (std::vector<std::string>{"brume: 80 lines were dropped here, the log spool was full", "after"}));
}

TEST(Spool, DeliversARecordLongerThanTheBatch) {
  const TemporaryDirectory directory;
  Spool spool(directory.path(), {.memory_bytes = 100, .total_bytes = 1 << 20, .window_bytes = 1 << 20});
  spool.append(Stream::out, 0, std::string(5000, 'x'));
  EXPECT_EQ(texts_of(spool.deliver(100)).at(0).size(), 5000U);
}

TEST(LineCutter, CutsAtLineEndsAndAtTheLimit) {
  LineCutter cutter(4);
  std::vector<std::string> lines;
  const auto emit = [&](std::string_view line) { lines.emplace_back(line); };
  cutter.feed("a", emit);
  cutter.feed("b\n\ncdefgh", emit);
  EXPECT_EQ(lines, (std::vector<std::string>{"ab", "", "cdef"}));
  cutter.finish(emit);
  EXPECT_EQ(lines.back(), "gh");
  cutter.feed("1234\n5", emit);  // a line of exactly the limit is one line
  cutter.finish(emit);
  EXPECT_EQ((std::vector<std::string>{lines.end() - 2, lines.end()}), (std::vector<std::string>{"1234", "5"}));
}

TEST(Wire, CarriesASpecUnchangedAndRefusesEveryTruncation) {
  SpawnSpec spec;
  spec.id = "task/a";
  spec.arguments = {"a", ""};
  spec.uid = 4'000'000'000;
  spec.output = SpawnSpec::Output::file;
  spec.binds = {{"/from", "/to", true}};
  const std::string bytes = encode(std::uint64_t{7}, spec);
  std::uint64_t number = 0;
  SpawnSpec read;
  decode(bytes, number, read);
  EXPECT_EQ(number, 7U);
  EXPECT_EQ(read.arguments, spec.arguments);
  EXPECT_EQ(read.uid, spec.uid);
  EXPECT_EQ(read.output, spec.output);
  EXPECT_EQ(read.binds, spec.binds);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    SpawnSpec part;
    EXPECT_THROW(decode(std::string_view(bytes).substr(0, size), number, part), PlaneError) << size;
  }
}

TEST(Mounts, FindsMountPointsBelowAPathLastFirst) {
  const std::string info =
      "1 0 0:1 / / rw - ext4 /dev/a rw\n"
      "2 1 0:2 / /run/brume/a rw - tmpfs t rw\n"
      "3 1 0:3 / /run/brume/a/with\\040space rw - overlay o rw\n"
      "4 1 0:4 / /run/brume/ab rw - overlay o rw\n";
  EXPECT_EQ(mount_points_below(info, "/run/brume/a"),
            (std::vector<std::string>{"/run/brume/a/with space", "/run/brume/a"}));
}

TEST(Spool, KeepsWhatTheDiskRefusesAndAsksItSeldom) {
  const TemporaryDirectory directory;
  const std::string log_file = directory.path() + "/log";
  log::set_file(log_file);
  Spool spool(directory.path() + "/none", {.memory_bytes = 1000, .total_bytes = 1 << 20, .window_bytes = 1 << 20});
  for (int number = 0; number < 1000; ++number) spool.append(Stream::out, 1, std::string(100, 'x'));
  log::set_file("");
  EXPECT_EQ(deliver_all(spool), range(1, 1000));
  const std::string log = read_file(log_file);
  const auto refusals = std::ranges::count(log, '\n');
  EXPECT_GE(refusals, 1);
  EXPECT_LE(refusals, 10);
}

}  // namespace
}  // namespace brume::keeper

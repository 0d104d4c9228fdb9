// The output of one child that the daemon has not acknowledged yet: in memory while it is little, else in an unlinked
// file. Owned by a Feed of the keeper process; its only thread.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "planes/keeper/keeper.h"

namespace brume::keeper {

struct SpoolLimits {
  std::uint64_t memory_bytes = 256ULL << 10U;  // above this the lines go to the file
  std::uint64_t total_bytes = 64ULL << 20U;    // above this lines are dropped
  std::uint64_t window_bytes = 4ULL << 20U;    // delivered but not acknowledged
};

class Spool {
 public:
  // The file is made in `directory` when it is needed first.
  explicit Spool(std::string directory, SpoolLimits limits = {});
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;
  ~Spool();

  void append(Stream stream, std::int64_t at_ms, std::string_view text);
  // Writes the line that tells of dropped lines, if there are any to tell of. `append` does so once there is room.
  void mark_dropped(std::int64_t at_ms);

  // The next whole records, about `size` bytes of them, or nothing when all is delivered or the window is full.
  std::string deliver(std::size_t size);
  bool all_delivered() const { return delivered_ == end(); }
  // Forgets the records up to and including `sequence`.
  void acknowledge(std::uint64_t sequence);
  // Delivers again whatever is not acknowledged (a new daemon).
  void rewind();

 private:
  std::uint64_t end() const { return memory_begin_ + memory_.size(); }
  void spill();
  std::string read(std::uint64_t offset, std::size_t size) const;
  void release(std::uint64_t offset);

  std::string directory_;
  SpoolLimits limits_;
  int file_ = -1;
  // Offsets count the stream's bytes from its start: the file holds [file_begin_, memory_begin_) from its position 0,
  // memory the rest.
  std::uint64_t file_begin_ = 0, memory_begin_ = 0, punched_ = 0;
  std::string memory_;
  std::uint64_t spill_above_;  // more than the limit after the disk has refused
  std::uint64_t acknowledged_ = 0, delivered_ = 0;
  std::uint64_t sequence_ = 0, acknowledged_sequence_ = 0;
  std::uint64_t dropped_ = 0;
  struct Batch {
    std::uint64_t last_sequence, end;
  };
  std::deque<Batch> batches_;  // delivered, not acknowledged
};

// The lines in delivered records. Throws PlaneError when they are malformed.
std::vector<Keeper::Line> parse_records(const std::string& id, std::string_view records);

}  // namespace brume::keeper

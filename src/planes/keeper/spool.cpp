#include "planes/keeper/spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "core/log.h"

namespace brume::keeper {
namespace {

// A record: this head, then the text.
struct Head {
  std::uint64_t sequence;
  std::int64_t at_ms;
  std::uint32_t size;
  std::uint32_t stream;
};

Head head_at(std::string_view bytes) {
  Head head{};
  std::memcpy(&head, bytes.data(), sizeof head);
  return head;
}

// The length of the whole records at the start of `bytes`, and the last one's sequence.
std::pair<std::size_t, std::uint64_t> whole_records(std::string_view bytes) {
  std::size_t length = 0;
  std::uint64_t last = 0;
  while (bytes.size() - length >= sizeof(Head)) {
    const Head head = head_at(bytes.substr(length));
    if (bytes.size() - length < sizeof head + head.size) break;
    length += sizeof head + head.size;
    last = head.sequence;
  }
  return {length, last};
}

constexpr std::uint64_t kPunchBytes = 4ULL << 20U;

}  // namespace

Spool::Spool(std::string directory, SpoolLimits limits)
    : directory_(std::move(directory)), limits_(limits), spill_above_(limits.memory_bytes) {}

Spool::~Spool() {
  if (file_ >= 0) ::close(file_);
}

void Spool::append(Stream stream, std::int64_t at_ms, std::string_view text) {
  const std::uint64_t kept = end() - acknowledged_;
  if (kept + text.size() > limits_.total_bytes) {
    ++dropped_;
    return;
  }
  mark_dropped(at_ms);
  const Head head{++sequence_, at_ms, static_cast<std::uint32_t>(text.size()), static_cast<std::uint32_t>(stream)};
  char raw[sizeof head];
  std::memcpy(raw, &head, sizeof head);
  memory_.append(raw, sizeof raw);
  memory_.append(text);
  if (memory_.size() > spill_above_) spill();
}

void Spool::mark_dropped(std::int64_t at_ms) {
  if (dropped_ == 0) return;
  const std::string text = "brume: " + std::to_string(dropped_) + " lines were dropped here, the log spool was full";
  dropped_ = 0;
  const Head head{++sequence_, at_ms, static_cast<std::uint32_t>(text.size()), static_cast<std::uint32_t>(Stream::err)};
  char raw[sizeof head];
  std::memcpy(raw, &head, sizeof head);
  memory_.append(raw, sizeof raw);
  memory_.append(text);
}

// Moves memory's records to the file. When the disk refuses they stay in memory, still bounded by the total limit, and
// it is asked again when they are twice as many.
void Spool::spill() {
  spill_above_ = 2 * memory_.size();
  if (file_ < 0) {
    std::string path = directory_ + "/spool-XXXXXX";
    file_ = ::mkostemp(path.data(), O_CLOEXEC);
    if (file_ < 0) {
      log::warning("keeper", "spool " + path + ": " + std::strerror(errno));
      return;
    }
    ::unlink(path.c_str());
  }
  std::size_t done = 0;
  while (done < memory_.size()) {
    const auto at = static_cast<off_t>(memory_begin_ - file_begin_ + done);
    const ssize_t written = ::pwrite(file_, memory_.data() + done, memory_.size() - done, at);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      log::warning("keeper", std::string("spool: ") + std::strerror(errno));
      return;
    }
    done += static_cast<std::size_t>(written);
  }
  memory_begin_ += memory_.size();
  memory_.clear();
  spill_above_ = limits_.memory_bytes;
}

std::string Spool::read(std::uint64_t offset, std::size_t size) const {
  if (offset >= memory_begin_) return memory_.substr(offset - memory_begin_, size);
  std::string bytes(std::min<std::uint64_t>(size, memory_begin_ - offset), '\0');
  const ssize_t got = ::pread(file_, bytes.data(), bytes.size(), static_cast<off_t>(offset - file_begin_));
  if (got < 0) throw_errno("read of a log spool");
  bytes.resize(static_cast<std::size_t>(got));
  return bytes;
}

std::string Spool::deliver(std::size_t size) {
  while (!all_delivered() && delivered_ - acknowledged_ < limits_.window_bytes) {
    std::string bytes = read(delivered_, size);
    if (bytes.size() < sizeof(Head)) bytes = read(delivered_, sizeof(Head));
    auto [length, last] = whole_records(bytes);
    if (length == 0) {  // one record longer than `size`
      bytes = read(delivered_, sizeof(Head) + head_at(bytes).size);
      std::tie(length, last) = whole_records(bytes);
      BRUME_CHECK(length > 0);
    }
    delivered_ += length;
    bytes.resize(length);
    batches_.push_back({last, delivered_});
    // Of a batch that was acknowledged in part before a rewind only the rest is told again.
    std::string_view rest = bytes;
    while (!rest.empty() && head_at(rest).sequence <= acknowledged_sequence_) {
      rest.remove_prefix(sizeof(Head) + head_at(rest).size);
    }
    if (!rest.empty()) return std::string(rest);
  }
  return {};
}

void Spool::acknowledge(std::uint64_t sequence) {
  acknowledged_sequence_ = std::max(acknowledged_sequence_, std::min(sequence, sequence_));
  std::uint64_t offset = acknowledged_;
  while (!batches_.empty() && batches_.front().last_sequence <= acknowledged_sequence_) {
    offset = batches_.front().end;
    batches_.pop_front();
  }
  release(offset);
}

// Gives back the room of everything before `offset`.
void Spool::release(std::uint64_t offset) {
  acknowledged_ = offset;
  if (acknowledged_ < memory_begin_) {
    if (acknowledged_ - std::max(punched_, file_begin_) < kPunchBytes) return;
    // Where the file system cannot punch holes the room comes back when the whole file is acknowledged.
    ::fallocate(file_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(acknowledged_ - file_begin_));
    punched_ = acknowledged_;
    return;
  }
  if (memory_begin_ > file_begin_ && ::ftruncate(file_, 0) != 0) return;
  memory_.erase(0, acknowledged_ - memory_begin_);
  memory_begin_ = file_begin_ = punched_ = acknowledged_;
  if (memory_.size() <= limits_.memory_bytes) spill_above_ = limits_.memory_bytes;
}

void Spool::rewind() {
  delivered_ = acknowledged_;
  batches_.clear();
}

std::vector<Keeper::Line> parse_records(const std::string& id, std::string_view records) {
  std::vector<Keeper::Line> lines;
  while (!records.empty()) {
    const bool has_head = records.size() >= sizeof(Head);
    const Head head = has_head ? head_at(records) : Head{};
    if (!has_head || records.size() < sizeof head + head.size) {
      throw PlaneError(PlaneError::Kind::permanent, "malformed log records of the keeper");
    }
    lines.push_back({id, head.stream == 0 ? Stream::out : Stream::err, head.at_ms, head.sequence,
                     std::string(records.substr(sizeof head, head.size))});
    records.remove_prefix(sizeof head + head.size);
  }
  return lines;
}

}  // namespace brume::keeper

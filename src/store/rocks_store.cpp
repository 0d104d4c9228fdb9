// The store on RocksDB: one column family, small buffers, a write-ahead log that is written at each batch. It is synced
// once a second, or, when power loss must be survived, by the commit thread for all that wait.
#include <fcntl.h>
#include <pthread.h>
#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdarg>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <stop_token>
#include <thread>

#include "core/fault.h"
#include "core/log.h"
#include "core/text.h"
#include "store/directory.h"
#include "store/group_sync.h"
#include "store/opening.h"
#include "store/store.h"

namespace brume {
namespace {

constexpr std::string_view kFormatKey = "m/format";
// 2: CloudTrail's events are kept in their parts, which a program before shows without their text.
// 3: and by pages, which a program before does not see.
constexpr std::int64_t kFormat = 3;
// Each range that was erased makes later readings slower, so only a large one is.
constexpr std::size_t kErasedSingly = 256;
constexpr std::chrono::milliseconds kAskSpaceAfter{1};
constexpr std::size_t kAskSpaceBytes = SpaceReserve::kMarginBytes / 16;
// No key of ours starts with it: the end of an unbounded range.
constexpr std::string_view kAfterAllKeys = "\xff";

constexpr std::string_view kWhatToDo = "Restore a copy of the state directory, or move it away and start anew.";

constexpr std::string_view kNoSettingsFile = "its settings are in the program";

rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }
std::string_view view(const rocksdb::Slice& text) { return {text.data(), text.size()}; }

bool is_no_space(const rocksdb::Status& status) {
  return status.IsNoSpace() || status.subcode() == rocksdb::Status::kNoSpace;
}

// What RocksDB has to say goes to the daemon's log. A log file of its own would get 200 lines of settings, made,
// renamed and written at each start.
class Complaints final : public rocksdb::Logger {
 public:
  Complaints() : rocksdb::Logger(rocksdb::WARN_LEVEL) {}
  Complaints(const Complaints&) = delete;
  Complaints& operator=(const Complaints&) = delete;
  ~Complaints() override = default;

  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    char line[1000] = {};
    std::vsnprintf(line, sizeof line, format, arguments);
    if (std::string_view(line).find(kNoSettingsFile) != std::string_view::npos) return;
    log::warning("rocksdb", line);
  }
};

// The files as they are, but for one that RocksDB writes at each opening, syncs, reads again and compares: its
// settings, which nobody reads. It goes on without.
class Files final : public rocksdb::FileSystemWrapper {
 public:
  using rocksdb::FileSystemWrapper::FileSystemWrapper;
  static const char* kClassName() { return "BrumeFiles"; }
  const char* Name() const override { return kClassName(); }
  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override {
    if (path.find("/OPTIONS-") != std::string::npos) return rocksdb::IOStatus::NotSupported(slice(kNoSettingsFile));
    return rocksdb::FileSystemWrapper::NewWritableFile(path, options, file, debug);
  }
};

rocksdb::Options options_for(rocksdb::Env& env) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(8 << 20, 2);
  table.cache_index_and_filter_blocks = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.format_version = 5;

  rocksdb::Options options;
  options.env = &env;
  options.create_if_missing = true;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_size = 4 << 20;
  options.max_write_buffer_number = 3;
  // What is looked for is mostly not in the memory table: 40 KiB of each say so without a search.
  options.memtable_whole_key_filtering = true;
  options.memtable_prefix_bloom_size_ratio = 0.01;
  options.target_file_size_base = 8 << 20;
  options.max_bytes_for_level_base = 32 << 20;
  options.max_total_wal_size = 32 << 20;
  options.max_background_jobs = 2;
  options.max_open_files = 128;
  // Sixteen threads would be made at each opening, for the few tables that there are.
  options.max_file_opening_threads = 1;
  options.info_log = std::make_shared<Complaints>();
  options.allow_concurrent_memtable_write = false;
  options.compaction_readahead_size = 256 << 10;
  // Opening and closing stay quick: what the log holds is replayed, at most a few megabytes.
  options.avoid_flush_during_shutdown = true;
  options.avoid_flush_during_recovery = true;
  options.skip_stats_update_on_db_open = true;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  const std::vector<rocksdb::CompressionType> supported = rocksdb::GetSupportedCompressions();
  const bool has_lz4 = std::ranges::find(supported, rocksdb::kLZ4Compression) != supported.end();
  options.compression = has_lz4 ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;
  // What was just written is soon written again, and compressing is two thirds of writing it out: some 50 MiB at most
  // are left as they are.
  options.compression_per_level.assign(static_cast<std::size_t>(options.num_levels), options.compression);
  options.compression_per_level[0] = options.compression_per_level[1] = rocksdb::kNoCompression;
  // What was not synced may hold anything after a power cut; the longest consistent beginning is then the best there
  // is. That it holds all that was synced is checked against the file `synced`.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  return options;
}

void throw_status(const rocksdb::Status& status, std::string_view doing) {
  if (is_no_space(status))
    throw StoreFull("The disk of the state directory is full; " + std::string(doing) + " failed.");
  if (status.IsCorruption())
    throw StoreError("The state is damaged (" + status.ToString() + "). " + std::string(kWhatToDo));
  throw StoreError("The store cannot go on: " + std::string(doing) + ": " + status.ToString());
}

std::optional<std::string> get_from(rocksdb::DB& db, const rocksdb::ReadOptions& options, std::string_view key) {
  std::string value;
  const rocksdb::Status status = db.Get(options, slice(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) throw_status(status, "reading");
  return value;
}

void scan_db(rocksdb::DB& db, rocksdb::ReadOptions options, std::string_view from, std::string_view until,
             const Snapshot::Visit& visit, bool reverse) {
  if (until.empty()) until = kAfterAllKeys;
  if (until <= from) return;
  const rocksdb::Slice lower = slice(from);
  const rocksdb::Slice upper = slice(until);
  options.iterate_lower_bound = &lower;
  options.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> iterator(db.NewIterator(options));
  if (reverse) {
    iterator->SeekToLast();
  } else {
    iterator->SeekToFirst();
  }
  while (iterator->Valid() && visit(view(iterator->key()), view(iterator->value()))) {
    if (reverse) {
      iterator->Prev();
    } else {
      iterator->Next();
    }
  }
  if (!iterator->status().ok()) throw_status(iterator->status(), "reading");
}

// Syncs the write-ahead log past RocksDB: its own SyncWAL aborts when it meets a log whose last write failed for want
// of space. Tables and the manifest are synced by RocksDB when it writes them.
bool sync_log_files(const std::string& directory) {
  std::error_code error;
  bool synced = true;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    if (entry.path().extension() != ".log") continue;
    const int descriptor = ::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
    // A log that is gone was written out to a table meanwhile.
    if (descriptor < 0) continue;
    synced = ::fdatasync(descriptor) == 0 && synced;
    ::close(descriptor);
  }
  const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  synced = descriptor >= 0 && ::fsync(descriptor) == 0 && synced;
  if (descriptor >= 0) ::close(descriptor);
  return synced && !error;
}

// Shares the database: a worker may still read a snapshot while the store is being closed.
class RocksSnapshot final : public Snapshot {
 public:
  explicit RocksSnapshot(std::shared_ptr<rocksdb::DB> db) : db_(std::move(db)) {
    options_.snapshot = db_->GetSnapshot();
  }
  RocksSnapshot(const RocksSnapshot&) = delete;
  RocksSnapshot& operator=(const RocksSnapshot&) = delete;
  ~RocksSnapshot() override { db_->ReleaseSnapshot(options_.snapshot); }

  std::optional<std::string> get(std::string_view key) const override { return get_from(*db_, options_, key); }
  void scan(std::string_view from, std::string_view until, const Visit& visit, bool reverse) const override {
    scan_db(*db_, options_, from, until, visit, reverse);
  }

 private:
  std::shared_ptr<rocksdb::DB> db_;
  rocksdb::ReadOptions options_;
};

// Threads that RocksDB makes meanwhile have its name: its timer wakes every ten seconds, which none of ours does.
class InRocksDbsName {
 public:
  InRocksDbsName() {
    ::pthread_getname_np(::pthread_self(), name_, sizeof name_);
    ::pthread_setname_np(::pthread_self(), "rocksdb");
  }
  InRocksDbsName(const InRocksDbsName&) = delete;
  InRocksDbsName& operator=(const InRocksDbsName&) = delete;
  ~InRocksDbsName() { ::pthread_setname_np(::pthread_self(), name_); }

 private:
  char name_[16] = {};
};

class RocksStore final : public Store {
 public:
  RocksStore(const std::string& directory, Durability durability, std::unique_ptr<DirectoryLock> lock)
      : directory_(directory), durability_(durability), lock_(std::move(lock)), reserve_(directory) {
    open();
    check_format();
    check_synced();
    full_ = !reserve_.take();
    if (durability == Durability::process_death) {
      syncer_ = std::jthread([this](const std::stop_token& stop) { sync_each_second(stop); });
    } else {
      group_.emplace([this] { return sync_files(); });
    }
  }
  RocksStore(const RocksStore&) = delete;
  RocksStore& operator=(const RocksStore&) = delete;
  ~RocksStore() override {
    if (syncer_.joinable()) {
      syncer_.request_stop();
      syncer_.join();
    }
    group_.reset();
    sync_files();
  }

  void write(const Batch& batch) override {
    rocksdb::WriteBatch changes;
    for (const Batch::Change& change : batch.changes) {
      const rocksdb::Status status =
          change.value ? changes.Put(slice(change.key), slice(*change.value)) : changes.Delete(slice(change.key));
      if (!status.ok()) throw_status(status, "writing");
    }
    write_changes(changes);
  }

  void erase_range(std::string_view from, std::string_view until) override {
    if (until.empty()) until = kAfterAllKeys;
    if (until <= from) return;
    rocksdb::WriteBatch changes;
    std::size_t found = 0;
    rocksdb::Status status;
    scan(
        from, until,
        [&](std::string_view key, std::string_view) {
          status = changes.Delete(slice(key));
          return status.ok() && ++found < kErasedSingly;
        },
        false);
    if (status.ok() && found == kErasedSingly) {
      changes.Clear();
      status = changes.DeleteRange(slice(from), slice(until));
    }
    if (!status.ok()) throw_status(status, "writing");
    if (found > 0) write_changes(changes);
  }

  std::shared_ptr<Snapshot> snapshot() const override { return std::make_shared<RocksSnapshot>(db_); }
  std::optional<std::string> get(std::string_view key) const override {
    return get_from(*db_, rocksdb::ReadOptions(), key);
  }
  void scan(std::string_view from, std::string_view until, const Snapshot::Visit& visit, bool reverse) const override {
    scan_db(*db_, rocksdb::ReadOptions(), from, until, visit, reverse);
  }
  void sync() override {
    if (!sync_files()) throw StoreError("The store's log cannot be synced to disk.");
  }
  void when_durable(Function then) override {
    if (group_) return group_->when_synced(std::move(then));
    then();
  }
  Durability durability() const override { return durability_; }

 private:
  void open() {
    const rocksdb::Options options = options_for(*env_);
    options.env->SetBackgroundThreads(1, rocksdb::Env::Priority::LOW);
    options.env->SetBackgroundThreads(1, rocksdb::Env::Priority::HIGH);
    // For what opening writes: it aborts as well when that fails.
    if (reserve_.is_nearly_full()) reserve_.release();
    const InRocksDbsName name;
    rocksdb::DB* db = nullptr;
    const rocksdb::Status status = rocksdb::DB::Open(options, directory_ + "/db", &db);
    keep(db);
    if (status.ok()) return;
    if (is_no_space(status)) {
      // What the log holds may have to be written out: give the reserve up for it, once.
      reserve_.release();
      if (rocksdb::DB::Open(options, directory_ + "/db", &db).ok()) {
        keep(db);
        return;
      }
      throw StoreFull("The disk of the state directory " + directory_ + " is full. Free some space and start again.");
    }
    throw StoreError("The state in " + directory_ + " cannot be read (" + status.ToString() +
                     "). If it is damaged: " + std::string(kWhatToDo));
  }

  // A snapshot may outlive the store, and the database needs its files until then.
  void keep(rocksdb::DB* db) {
    db_.reset(db, [env = env_](rocksdb::DB* closed) { delete closed; });
  }

  void check_format() {
    const std::optional<std::string> present = get(kFormatKey);
    std::int64_t format = kFormat;
    if (!present) {
      scan(
          "", "",
          [this](std::string_view, std::string_view) -> bool {
            throw StoreError("The state in " + directory_ + " is damaged: it has records and no format. " +
                             std::string(kWhatToDo));
          },
          false);
      fault_point("store.created");
      write_format();
    } else if (!parse_int(*present, format) || format < 1) {
      throw StoreError("The state in " + directory_ + " is damaged: it has no format. " + std::string(kWhatToDo));
    }
    if (format > kFormat) {
      throw StoreError("The state in " + directory_ + " has format " + std::to_string(format) +
                       ", this program reads formats up to " + std::to_string(kFormat) +
                       ". Use the newer program that wrote it, or another directory (--state).");
    }
    // What was written before is read as it is, what is written from now on is of this format.
    if (format < kFormat) write_format();
  }

  void write_format() {
    rocksdb::WriteOptions synced;
    synced.sync = true;
    const rocksdb::Status status = db_->Put(synced, slice(kFormatKey), std::to_string(kFormat));
    if (!status.ok()) throw_status(status, "writing the format");
  }

  // The file `synced` says up to which of its numbered changes the log was on disk. A log that now ends before that was
  // cut or damaged; without this the rest would pass for the whole.
  void check_synced() const {
    std::ifstream file(directory_ + "/synced");
    std::uint64_t synced = 0;
    if (!(file >> synced)) return;
    const std::uint64_t last = db_->GetLatestSequenceNumber();
    if (last >= synced) return;
    throw StoreError("The state in " + directory_ + " is damaged: of " + std::to_string(synced) +
                     " changes that were on disk only " + std::to_string(last) + " can be read. " +
                     std::string(kWhatToDo) + " To go on without the changes that are lost, remove " + directory_ +
                     "/synced.");
  }
  bool sync_files() const {
    const std::string number = std::to_string(db_->GetLatestSequenceNumber());
    if (!sync_log_files(directory_ + "/db")) return false;
    // In place and of one length, so that it is whole; it may stay behind and never runs ahead.
    const std::string text = std::string(20 - number.size(), '0') + number + "\n";
    const int file = ::open((directory_ + "/synced").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    [[maybe_unused]] const ssize_t written = ::pwrite(file, text.data(), text.size(), 0);
    ::close(file);
    return true;
  }

  void write_changes(rocksdb::WriteBatch& changes) {
    if (full_ && !recover_space()) {
      throw StoreFull("The disk of the state directory is full: nothing can be written until space is freed.");
    }
    // RocksDB aborts over a log whose last write failed for want of space, so that none may.
    if (is_nearly_full(changes.GetDataSize())) {
      throw StoreFull("The disk of the state directory is full: nothing can be written until space is freed.");
    }
    fault_point("store.write");
    const rocksdb::Status status = db_->Write(rocksdb::WriteOptions(), &changes);
    if (status.ok()) {
      fault_point("store.written");
      note_unsynced();
      return;
    }
    if (is_no_space(status)) {
      // RocksDB refuses writes after a failed one until it has resumed, which it does by itself within seconds when
      // there is some space: the reserve's.
      full_ = true;
      reserve_.release();
      log::error("store", "the disk is full: " + status.ToString());
    }
    throw_status(status, "writing");
  }

  // Asks the kernel again when what was written since, or the time in which others could have written, comes to a part
  // of the margin.
  bool is_nearly_full(std::size_t size) {
    const auto now = std::chrono::steady_clock::now();
    const std::lock_guard lock(space_mutex_);
    written_since_ += size;
    if (now < ask_space_at_ && written_since_ < kAskSpaceBytes) return false;
    if (reserve_.is_nearly_full()) {
      ask_space_at_ = {};
      return true;
    }
    ask_space_at_ = now + kAskSpaceAfter;
    written_since_ = 0;
    return false;
  }

  // True when there is space again and the reserve is whole.
  bool recover_space() {
    const std::lock_guard lock(recovery_mutex_);
    if (!full_) return true;
    // RocksDB is busy while its own recovery waits for its next look at the disk.
    if (!reserve_.has_room() || !db_->Resume().ok() || !reserve_.take()) return false;
    full_ = false;
    log::info("store", "there is disk space again");
    return true;
  }

  void note_unsynced() {
    if (group_) return group_->note_written();
    if (unsynced_.load(std::memory_order_relaxed)) return;
    {
      const std::lock_guard lock(sync_mutex_);
      unsynced_ = true;
    }
    sync_wake_.notify_one();
  }

  // A power cut may then take a second's writes, not more. Sleeps while nothing is written.
  void sync_each_second(const std::stop_token& stop) {
    while (true) {
      {
        std::unique_lock lock(sync_mutex_);
        if (!sync_wake_.wait(lock, stop, [this] { return unsynced_.load(); })) return;
        sync_wake_.wait_for(lock, stop, std::chrono::seconds(1), [] { return false; });
        unsynced_ = false;
      }
      if (stop.stop_requested()) return;
      if (!sync_files()) log::error("store", "the background sync failed");
    }
  }

  std::string directory_;
  Durability durability_;
  std::unique_ptr<DirectoryLock> lock_;
  SpaceReserve reserve_;
  const std::shared_ptr<rocksdb::Env> env_ =
      rocksdb::NewCompositeEnv(std::make_shared<Files>(rocksdb::FileSystem::Default()));
  std::shared_ptr<rocksdb::DB> db_;
  std::mutex space_mutex_;
  std::chrono::steady_clock::time_point ask_space_at_;
  std::size_t written_since_ = 0;
  std::atomic<bool> full_ = false;
  std::mutex recovery_mutex_;
  std::mutex sync_mutex_;
  std::condition_variable_any sync_wake_;
  std::atomic<bool> unsynced_ = false;
  std::jthread syncer_;
  std::optional<GroupSync> group_;  // with Durability::power_loss
};

}  // namespace

std::unique_ptr<Store> open_store(const std::string& directory, Durability durability) {
  return begin_opening_store(directory, durability).get();
}

std::future<std::unique_ptr<Store>> begin_opening_store(const std::string& directory, Durability durability) {
  make_owner_only_directory(directory);
  auto open = [directory, durability, lock = std::make_unique<DirectoryLock>(directory)]() mutable {
    return std::unique_ptr<Store>(std::make_unique<RocksStore>(directory, durability, std::move(lock)));
  };
  return std::async(std::launch::async, std::move(open));
}

}  // namespace brume

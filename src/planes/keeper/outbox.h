// What the keeper has to tell the daemon: per id a spool of lines and, at the end, an exit. Keeps the order (a child's
// exit comes after its last line) and the pace (a slow daemon is not flooded). The keeper's only thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "planes/keeper/protocol.h"
#include "planes/keeper/spool.h"

namespace brume::keeper {

// Where messages go: the connection to the daemon.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual bool accepts_more() const = 0;  // its buffer has room for more lines
  virtual void send(Message type, std::string_view payload) = 0;
};

class Outbox {
 public:
  explicit Outbox(std::string spool_directory);

  class Feed {
   public:
    Feed(Outbox& outbox, std::string id);
    void append(Stream stream, std::int64_t at_ms, std::string_view text);
    // Nothing is delivered until it is known whether the child started at all.
    void hold() { held_ = true; }
    void let_go();
    void end(const Child& child);

   private:
    friend class Outbox;
    Outbox& outbox_;
    std::string id_;
    Spool spool_;
    bool held_ = false;
    std::optional<Child> ended_;
    bool end_told_ = false;
  };

  Feed& open(const std::string& id);
  void close(const std::string& id);
  void acknowledge(const std::string& id, std::uint64_t sequence);
  void deliver(Sink& sink);
  void rewind();  // a new daemon: everything unacknowledged again

 private:
  void touch(const std::string& id) { waiting_.insert(id); }
  bool deliver_feed(Feed& feed, Sink& sink);  // false when the sink is full

  std::string spool_directory_;
  std::map<std::string, std::unique_ptr<Feed>> feeds_;
  std::set<std::string> waiting_;  // feeds that have something to tell
};

// Cuts bytes into lines of at most `limit` bytes.
class LineCutter {
 public:
  explicit LineCutter(std::size_t limit = 256ULL << 10U) : limit_(limit) {}
  // Calls emit(line) for each complete line.
  template <class Emit>
  void feed(std::string_view bytes, Emit emit) {
    while (!bytes.empty()) {
      const std::size_t end = bytes.find('\n');
      const std::size_t room = limit_ - partial_.size();
      const std::size_t take = std::min({end, room, bytes.size()});
      partial_.append(bytes.substr(0, take));
      bytes.remove_prefix(take);
      const bool line_ended = !bytes.empty() && bytes.front() == '\n';
      if (line_ended) bytes.remove_prefix(1);
      if (!line_ended && partial_.size() < limit_) return;
      emit(std::string_view(partial_));
      partial_.clear();
    }
  }
  template <class Emit>
  void finish(Emit emit) {
    if (!partial_.empty()) emit(std::string_view(partial_));
    partial_.clear();
  }

 private:
  std::size_t limit_;
  std::string partial_;
};

}  // namespace brume::keeper

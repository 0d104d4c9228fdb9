#include "planes/keeper/outbox.h"

#include <utility>

namespace brume::keeper {
namespace {

constexpr std::size_t kBatchBytes = 64ULL << 10U;

}  // namespace

Outbox::Outbox(std::string spool_directory) : spool_directory_(std::move(spool_directory)) {}

Outbox::Feed::Feed(Outbox& outbox, std::string id)
    : outbox_(outbox), id_(std::move(id)), spool_(outbox.spool_directory_) {}

void Outbox::Feed::append(Stream stream, std::int64_t at_ms, std::string_view text) {
  spool_.append(stream, at_ms, text);
  outbox_.touch(id_);
}

void Outbox::Feed::let_go() {
  held_ = false;
  outbox_.touch(id_);
}

void Outbox::Feed::end(const Child& child) {
  spool_.mark_dropped(child.exit.at_ms);
  ended_ = child;
  outbox_.touch(id_);
}

Outbox::Feed& Outbox::open(const std::string& id) {
  std::unique_ptr<Feed>& feed = feeds_[id];
  if (feed == nullptr) feed = std::make_unique<Feed>(*this, id);
  return *feed;
}

void Outbox::close(const std::string& id) {
  feeds_.erase(id);
  waiting_.erase(id);
}

void Outbox::acknowledge(const std::string& id, std::uint64_t sequence) {
  const auto found = feeds_.find(id);
  if (found == feeds_.end()) return;
  found->second->spool_.acknowledge(sequence);
  touch(id);
}

void Outbox::deliver(Sink& sink) {
  while (!waiting_.empty() && sink.accepts_more()) {
    const auto first = waiting_.begin();
    const auto found = feeds_.find(*first);
    if (found == feeds_.end() || deliver_feed(*found->second, sink)) waiting_.erase(first);
  }
}

bool Outbox::deliver_feed(Feed& feed, Sink& sink) {
  if (feed.held_) return true;
  while (true) {
    if (!sink.accepts_more()) return false;
    const std::string records = feed.spool_.deliver(kBatchBytes);
    if (records.empty()) break;
    sink.send(Message::lines, encode(feed.id_, records));
  }
  if (feed.ended_ && !feed.end_told_ && feed.spool_.all_delivered()) {
    sink.send(Message::exit, encode(*feed.ended_));
    feed.end_told_ = true;
  }
  return true;
}

void Outbox::rewind() {
  for (auto& [id, feed] : feeds_) {
    feed->spool_.rewind();
    feed->end_told_ = false;
    touch(id);
  }
}

}  // namespace brume::keeper

#include "services/logs/live_tail.h"

#include <algorithm>

#include "gen/logs.h"
#include "services/logs/filter_pattern.h"
#include "services/logs/logs.h"

namespace brume::logs {
namespace {

constexpr std::size_t kMostSessions = 15;        // "Live Tail concurrent sessions", of an account in a region
constexpr std::size_t kMostEventsASecond = 500;  // over these an update is a sample
constexpr Duration kLongestSession = hours(3);
constexpr Duration kUpdateInterval = seconds(1);

}  // namespace

class LiveTail::Session final : public EventSource, public std::enable_shared_from_this<Session> {
 public:
  Session(LiveTail& tail, Scope scope, LiveTailSessionStart start, std::vector<std::string> groups)
      : tail_(tail),
        scope_(std::move(scope)),
        start_(std::move(start)),
        groups_(std::move(groups)),
        pattern_(FilterPattern::parse(start_.log_event_filter_pattern.get())) {}

  void start(std::shared_ptr<EventWriter> writer) override {
    writer_ = std::move(writer);
    ends_ = tail_.clock_.now() + kLongestSession;
    StartLiveTailResponseStream event;
    event.session_start = start_;
    writer_->send(&event);
    wait();
    // The clock may stand still: what is kept for a client that has gone does not wait for the next update.
    writer_->on_gone([&control = tail_.control_, weak = weak_from_this()] {
      control.post([weak] {
        if (const std::shared_ptr<Session> self = weak.lock()) self->leave();
      });
    });
  }

  const Scope& scope() const { return scope_; }
  bool gone() const { return writer_ != nullptr && writer_->gone(); }

  void feed(const std::string& group, const std::string& stream, const std::vector<NewEvent>& events, Time ingested) {
    if (writer_ == nullptr || !watches(group, stream)) return;
    for (const NewEvent& event : events) {
      if (!pattern_.matches(event.message)) continue;
      if (found_.size() >= kMostEventsASecond) {
        sampled_ = true;
        return;
      }
      LiveTailSessionLogEvent& out = found_.emplace_back();
      out.log_stream_name = stream;
      out.log_group_identifier = scope_.account + ":" + group;
      out.message = event.message;
      out.timestamp = event.at.ms;
      out.ingestion_time = ingested.ms;
    }
  }

 private:
  bool watches(const std::string& group, const std::string& stream) const {
    if (std::ranges::find(groups_, group) == groups_.end()) return false;
    const auto& names = start_.log_stream_names.get();
    const auto& prefixes = start_.log_stream_name_prefixes.get();
    if (!names.empty()) return std::ranges::find(names, stream) != names.end();
    return prefixes.empty() ||
           std::ranges::any_of(prefixes, [&](const std::string& prefix) { return stream.starts_with(prefix); });
  }

  // The timer keeps the session.
  void leave() {
    tail_.control_.cancel(timer_);
    writer_ = nullptr;
  }
  void wait() {
    timer_ = tail_.control_.at(tail_.clock_.now() + kUpdateInterval, [self = shared_from_this()] { self->update(); });
  }

  void update() {
    if (writer_ == nullptr || writer_->gone()) return;
    // "If there are no log events … an empty array is sent."
    StartLiveTailResponseStream event;
    event.session_update.ensure().session_metadata.ensure().sampled = std::exchange(sampled_, false);
    event.session_update->session_results = std::exchange(found_, {});
    writer_->send(&event);
    if (tail_.clock_.now() < ends_) return wait();
    writer_->fail(session_timeout_exception("The session has ended: it lasts three hours at most."));
    writer_ = nullptr;
  }

  LiveTail& tail_;
  Scope scope_;
  LiveTailSessionStart start_;
  std::vector<std::string> groups_;
  FilterPattern pattern_;
  std::shared_ptr<EventWriter> writer_;  // shared with the front, which knows whether the client is there
  Time ends_;
  Control::TimerId timer_ = 0;
  std::vector<LiveTailSessionLogEvent> found_;
  bool sampled_ = false;
};

void LiveTail::forget_ended() {
  std::erase_if(sessions_, [](const std::weak_ptr<Session>& each) {
    const std::shared_ptr<Session> session = each.lock();
    return session == nullptr || session->gone();
  });
}

std::shared_ptr<EventSource> LiveTail::open(const Scope& scope, const std::string& request_id,
                                            const StartLiveTailRequest& input, std::vector<std::string> groups) {
  forget_ended();
  const auto of_scope = std::ranges::count_if(sessions_, [&](const std::weak_ptr<Session>& each) {
    const std::shared_ptr<Session> session = each.lock();
    return session != nullptr && session->scope() == scope;
  });
  if (static_cast<std::size_t>(of_scope) >= kMostSessions)
    throw limit_exceeded_exception("The limit of 15 concurrent Live Tail sessions has been reached.");
  LiveTailSessionStart start;
  start.request_id = request_id;
  start.session_id = random_.uuid();
  start.log_group_identifiers = input.log_group_identifiers;
  start.log_stream_names = input.log_stream_names.get();
  start.log_stream_name_prefixes = input.log_stream_name_prefixes.get();
  start.log_event_filter_pattern = input.log_event_filter_pattern.get();
  auto session = std::make_shared<Session>(*this, scope, std::move(start), std::move(groups));
  sessions_.push_back(session);
  return session;
}

void LiveTail::feed(const Scope& scope, const std::string& group, const std::string& stream,
                    const std::vector<NewEvent>& events, Time ingested) {
  forget_ended();
  for (const std::weak_ptr<Session>& each : sessions_)
    if (const std::shared_ptr<Session> session = each.lock(); session != nullptr && session->scope() == scope)
      session->feed(group, stream, events, ingested);
}

}  // namespace brume::logs

// Log events: put in order, read by stream, filtered over streams. Reads run on a worker over a snapshot.
#include <algorithm>
#include <queue>

#include "core/text.h"
#include "services/logs/filter_pattern.h"
#include "services/logs/logs.h"
#include "store/record.h"

namespace brume::logs {
namespace {

constexpr std::size_t kMostEvents = 10'000;        // of one answer
constexpr std::size_t kLargestAnswer = 1 << 20;    // bytes of messages
constexpr std::int64_t kLargestBatch = 1'048'576;  // bytes, with 26 for each event
constexpr std::size_t kChunk = 256;                // events read from a stream at once while merging
constexpr std::size_t kMostScanned = 200'000;      // events looked at for one page of FilterLogEvents

struct ReadEvent {
  std::string key;  // on disk: its place
  Time at;
  EventRecord event;
};

ReadEvent read_event(std::string_view key, std::string_view value) {
  ReadEvent read{.key = std::string(key), .event = decode_record<EventRecord>(value)};
  std::string_view rest = key;
  take_key_string(rest);
  read.at = Time{static_cast<std::int64_t>(take_key_number(rest))};
  return read;
}

std::string stream_start(const std::string& id, Time from) {
  std::string key;
  append_key_string(key, id);
  append_key_number(key, static_cast<std::uint64_t>(std::max<std::int64_t>(from.ms, 0)));
  return key;
}

std::string stream_end(const std::string& id) {
  std::string key;
  append_key_string(key, id);
  return prefix_end(key);
}

// GetLogEvents' tokens say a place and a direction: "f/KEY" or "b/KEY".
struct GetJob {
  std::string from, until;  // keys
  bool reverse = false;
  std::size_t limit = kMostEvents;
  std::vector<ReadEvent> events;
};

void run(const Keyspace& keyspace, const Snapshot& snapshot, GetJob& job) {
  std::size_t bytes = 0;
  keyspace.scan(
      snapshot, job.from, job.until,
      [&](std::string_view key, std::string_view value) {
        job.events.push_back(read_event(key, value));
        bytes += job.events.back().event.message.size();
        return job.events.size() < job.limit && bytes < kLargestAnswer;
      },
      job.reverse);
  if (job.reverse) std::ranges::reverse(job.events);
}

GetLogEventsOutput answer(const Logs& logs, const std::string& purpose, GetJob& job) {
  GetLogEventsOutput output;
  output.events.ensure();
  for (ReadEvent& read : job.events) {
    OutputLogEvent& event = output.events->emplace_back();
    event.timestamp = read.at.ms;
    event.message = std::move(read.event.message);
    event.ingestion_time = read.event.ingested_at.ms;
  }
  // At the end of a stream the token of the next page is the one that was given: so clients know.
  const std::string first = job.events.empty() ? (job.reverse ? job.until : job.from) : job.events.front().key;
  const std::string last = job.events.empty() ? first : job.events.back().key + '\0';
  output.next_forward_token = "f/" + logs.paging.seal(purpose, last);
  output.next_backward_token = "b/" + logs.paging.seal(purpose, first);
  return output;
}

// One stream while streams are merged by time.
struct MergedStream {
  std::string name, next, until;
  std::vector<ReadEvent> chunk;
  std::size_t at = 0;
  bool refill(const Keyspace& keyspace, const Snapshot& snapshot) {
    chunk.clear();
    at = 0;
    keyspace.scan(snapshot, next, until, [&](std::string_view key, std::string_view value) {
      chunk.push_back(read_event(key, value));
      return chunk.size() < kChunk;
    });
    if (!chunk.empty()) next = chunk.back().key + '\0';
    return !chunk.empty();
  }
};

struct FilterJob {
  std::vector<MergedStream> streams;
  FilterPattern pattern;
  std::size_t limit = kMostEvents;
  std::pair<std::int64_t, std::string> after;  // the last event of the page before: time and key
  std::vector<std::pair<std::string, ReadEvent>> found;
  bool more = false;
  std::pair<std::int64_t, std::string> last;
};

void run(const Keyspace& keyspace, const Snapshot& snapshot, FilterJob& job) {
  const auto place = [](const MergedStream* stream) {
    const ReadEvent& event = stream->chunk[stream->at];
    return std::pair(event.at.ms, event.key);
  };
  const auto later = [&](const MergedStream* a, const MergedStream* b) { return place(a) > place(b); };
  std::priority_queue<MergedStream*, std::vector<MergedStream*>, decltype(later)> queue(later);
  for (MergedStream& stream : job.streams)
    if (stream.refill(keyspace, snapshot)) queue.push(&stream);
  std::size_t scanned = 0, bytes = 0;
  while (!queue.empty()) {
    MergedStream* stream = queue.top();
    queue.pop();
    ReadEvent event = std::move(stream->chunk[stream->at++]);
    if (stream->at < stream->chunk.size() || stream->refill(keyspace, snapshot)) queue.push(stream);
    std::pair<std::int64_t, std::string> here(event.at.ms, event.key);
    if (here <= job.after) continue;
    job.last = std::move(here);
    if (job.pattern.matches(event.event.message)) {
      bytes += event.event.message.size();
      job.found.emplace_back(stream->name, std::move(event));
    }
    if (job.found.size() >= job.limit || bytes >= kLargestAnswer || ++scanned >= kMostScanned) {
      job.more = !queue.empty();
      return;
    }
  }
}

// Rejected ones are told by index, the rest is put: "PutLogEvents" of the API reference.
struct Accepted {
  std::vector<NewEvent> events;
  opt<RejectedLogEventsInfo> rejected;
};

Accepted accept(const std::vector<InputLogEvent>& events, std::int64_t retention_days, Time now) {
  Accepted accepted;
  std::int64_t bytes = 0;
  const Time newest = now + hours(2);
  const Time oldest = now - days(14);
  const Time expired = retention_days > 0 ? now - days(retention_days) : Time{};
  for (std::size_t i = 0; i < events.size(); ++i) {
    const Time at{events[i].timestamp.value_or(0)};
    bytes += static_cast<std::int64_t>(events[i].message.get().size()) + 26;
    if (i > 0 && at.ms < events[i - 1].timestamp.value_or(0))
      throw invalid_parameter_exception("Log events in a single PutLogEvents request must be in chronological order.");
    const auto index = static_cast<std::int64_t>(i);
    if (at > newest) {
      if (!accepted.rejected.ensure().too_new_log_event_start_index)
        accepted.rejected->too_new_log_event_start_index = index;
    } else if (at < expired) {
      accepted.rejected.ensure().expired_log_event_end_index = index + 1;
    } else if (at < oldest) {
      accepted.rejected.ensure().too_old_log_event_end_index = index + 1;
    } else {
      accepted.events.push_back({at, events[i].message.get()});
    }
  }
  if (bytes > kLargestBatch)
    throw invalid_parameter_exception("Upload too large: " + std::to_string(bytes) + " bytes exceeds limit of " +
                                      std::to_string(kLargestBatch));
  return accepted;
}

std::string filter_position(const std::pair<std::int64_t, std::string>& place) {
  std::string position;
  append_key_number(position, static_cast<std::uint64_t>(place.first));
  return position + place.second;
}

}  // namespace

PutLogEventsOutput put_log_events(Logs& logs, Tx& tx, const Request<PutLogEventsInput>& request) {
  const PutLogEventsInput& input = request.input;
  const StreamRecord& stream = get_stream(logs, request.scope, input.log_group_name.get(), input.log_stream_name.get());
  const GroupRecord& group = get_group(logs, request.scope, stream.group);
  Accepted accepted = accept(input.log_events.get(), group.retention_days, request.now);
  put_events(logs, tx, request.scope, group.name, input.log_stream_name.get(), accepted.events);
  PutLogEventsOutput output;
  output.rejected_log_events_info = accepted.rejected;
  const StreamRecord& now = get_stream(logs, request.scope, input.log_group_name.get(), input.log_stream_name.get());
  output.next_sequence_token = now.id + std::to_string(now.events);
  return output;
}

void get_log_events(Logs& logs, Tx&, const Request<GetLogEventsInput>& request, Deferred<GetLogEventsOutput> reply) {
  const GetLogEventsInput& input = request.input;
  const StreamRecord& stream =
      get_stream(logs, request.scope, group_name_of(input.log_group_name, input.log_group_identifier),
                 input.log_stream_name.get());
  const std::string purpose = paging_purpose("logs:GetLogEvents", request.scope, stream.id);
  auto job = std::make_shared<GetJob>();  // shared with the worker
  job->from = stream_start(stream.id, Time{input.start_time.value_or(0)});
  job->until = input.end_time ? stream_start(stream.id, Time{*input.end_time}) : stream_end(stream.id);
  job->limit = std::min<std::size_t>(kMostEvents, static_cast<std::size_t>(input.limit.value_or(kMostEvents)));
  job->reverse = !input.start_from_head.value_or(false);
  if (input.next_token) {
    const std::optional<std::string> place =
        input.next_token->size() > 2 ? logs.paging.open(purpose, input.next_token->substr(2)) : std::nullopt;
    if (!place) throw invalid_parameter_exception("The specified nextToken is invalid.");
    job->reverse = input.next_token->starts_with("b/");
    (job->reverse ? job->until : job->from) = *place;
  }
  auto snapshot = logs.events.snapshot();
  logs.needs.workers.run([&logs, job, snapshot] { run(logs.events, *snapshot, *job); },
                         [&logs, job, purpose, reply] { reply.succeed(answer(logs, purpose, *job)); });
}

void filter_log_events(Logs& logs, Tx&, const Request<FilterLogEventsInput>& request,
                       Deferred<FilterLogEventsOutput> reply) {
  const FilterLogEventsInput& input = request.input;
  const std::string group =
      get_group(logs, request.scope, group_name_of(input.log_group_name, input.log_group_identifier)).name;
  const std::vector<std::string>& names = input.log_stream_names.get();
  if (!names.empty() && input.log_stream_name_prefix)
    throw invalid_parameter_exception("Both logStreamNames and logStreamNamePrefix cannot be specified.");
  for (const std::string& name : names) get_stream(logs, request.scope, group, name);
  auto job = std::make_shared<FilterJob>();  // shared with the worker
  job->pattern = FilterPattern::parse(input.filter_pattern.get());
  job->limit = std::min<std::size_t>(kMostEvents, static_cast<std::size_t>(input.limit.value_or(kMostEvents)));
  const std::string purpose =
      paging_purpose("logs:FilterLogEvents", request.scope, group + '\0' + input.filter_pattern.get());
  job->after = {-1, {}};
  Time from{input.start_time.value_or(0)};
  if (input.next_token) {
    const std::optional<std::string> place = logs.paging.open(purpose, *input.next_token);
    if (!place) throw invalid_parameter_exception("The specified nextToken is invalid.");
    std::string_view rest = *place;
    const auto at = static_cast<std::int64_t>(take_key_number(rest));
    job->after = {at, std::string(rest)};
    from = std::max(from, Time{at});
  }
  for (const StreamRecord* stream : streams_of(logs, request.scope, group, input.log_stream_name_prefix.get())) {
    if (!names.empty() && std::ranges::find(names, stream->name) == names.end()) continue;
    if (stream->last_event < from) continue;
    MergedStream merged{.name = stream->name, .next = stream_start(stream->id, from)};
    // endTime is inclusive: "Events with a timestamp later than this time are not returned."
    merged.until = input.end_time ? stream_start(stream->id, Time{*input.end_time + 1}) : stream_end(stream->id);
    job->streams.push_back(std::move(merged));
  }
  auto snapshot = logs.events.snapshot();
  logs.needs.workers.run([&logs, job, snapshot] { run(logs.events, *snapshot, *job); },
                         [&logs, job, purpose, reply] {
                           FilterLogEventsOutput output;
                           output.events.ensure();
                           output.searched_log_streams.ensure();
                           for (auto& [stream, read] : job->found) {
                             FilteredLogEvent& event = output.events->emplace_back();
                             event.log_stream_name = stream;
                             event.timestamp = read.at.ms;
                             event.message = std::move(read.event.message);
                             event.ingestion_time = read.event.ingested_at.ms;
                             event.event_id = to_hex(sha1(read.key));
                           }
                           if (job->more) output.next_token = logs.paging.seal(purpose, filter_position(job->last));
                           reply.succeed(std::move(output));
                         });
}

}  // namespace brume::logs

// Log streams.
#include <algorithm>
#include <string>

#include "services/logs/logs.h"

namespace brume::logs {
namespace {

opt<std::int64_t> moment(Time time) { return time == Time{} ? opt<std::int64_t>() : opt<std::int64_t>(time.ms); }

LogStream describe(const Scope& scope, const StreamRecord& record) {
  LogStream stream;
  stream.log_stream_name = record.name;
  stream.creation_time = record.created_at.ms;
  stream.first_event_timestamp = moment(record.first_event);
  stream.last_event_timestamp = moment(record.last_event);
  stream.last_ingestion_time = moment(record.last_ingestion);
  stream.upload_sequence_token = record.id + std::to_string(record.events);
  stream.arn = group_arn(scope, record.group) + ":log-stream:" + record.name;
  // "As of June 17, 2019, this parameter is no longer supported for log streams, and is always reported as zero."
  stream.stored_bytes = 0;
  return stream;
}

// The order that a listing is in, and where in it a page begins.
struct StreamOrder {
  bool by_time = false, descending = false;

  struct Place {
    std::int64_t last_event = 0;  // when by time
    std::string_view name;
  };
  Place place_of(const StreamRecord& stream) const { return {by_time ? stream.last_event.ms : 0, stream.name}; }
  // Streams of the same moment are in the order of their names.
  bool before(const Place& a, const Place& b) const {
    if (a.last_event != b.last_event) return descending ? a.last_event > b.last_event : a.last_event < b.last_event;
    return descending && !by_time ? a.name > b.name : a.name < b.name;
  }

  std::string purpose() const { return std::string(by_time ? "time" : "name") + (descending ? "-" : "+"); }
  std::string position_of(const StreamRecord& stream) const {
    const Place place = place_of(stream);
    return std::to_string(place.last_event) + "/" + std::string(place.name);
  }
};

// One page, as large as `limit` and one more if there is more.
std::vector<const StreamRecord*> page_of(const Logs& logs, const Scope& scope, const std::string& group,
                                         const std::string& prefix, const StreamOrder& order,
                                         const std::string& position, std::size_t limit) {
  const std::size_t slash = position.find('/');
  const std::string name = slash == std::string::npos ? std::string() : position.substr(slash + 1);
  // Streams are kept by name: in that order a page begins where the one before ended.
  if (!order.by_time && !order.descending)
    return streams_of(logs, scope, group, prefix, name.empty() ? name : name + '\0', limit + 1);
  std::vector<const StreamRecord*> streams = streams_of(logs, scope, group, prefix);
  if (!position.empty()) {
    const StreamOrder::Place start{std::stoll(position), name};
    std::erase_if(streams, [&](const StreamRecord* stream) { return !order.before(start, order.place_of(*stream)); });
  }
  const std::size_t size = std::min(streams.size(), limit + 1);
  std::ranges::partial_sort(streams, streams.begin() + static_cast<std::ptrdiff_t>(size),
                            [&](const StreamRecord* a, const StreamRecord* b) {
                              return order.before(order.place_of(*a), order.place_of(*b));
                            });
  streams.resize(size);
  return streams;
}

}  // namespace

CreateLogStreamOutput create_log_stream(Logs& logs, Tx& tx, const Request<CreateLogStreamInput>& request) {
  create_stream(logs, tx, request.scope, request.input.log_group_name.get(), request.input.log_stream_name.get());
  return {};
}

DeleteLogStreamOutput delete_log_stream(Logs& logs, Tx& tx, const Request<DeleteLogStreamInput>& request) {
  const StreamRecord stream =
      get_stream(logs, request.scope, request.input.log_group_name.get(), request.input.log_stream_name.get());
  erase_stream(logs, tx, request.scope, stream);
  return {};
}

DescribeLogStreamsOutput describe_log_streams(Logs& logs, Tx&, const Request<DescribeLogStreamsInput>& request) {
  const DescribeLogStreamsInput& input = request.input;
  const std::string group =
      get_group(logs, request.scope, group_name_of(input.log_group_name, input.log_group_identifier)).name;
  const StreamOrder order{.by_time = input.order_by.value_or("LogStreamName") == "LastEventTime",
                          .descending = input.descending.value_or(false)};
  if (order.by_time && input.log_stream_name_prefix)
    throw invalid_parameter_exception("Cannot order by LastEventTime with a logStreamNamePrefix.");
  const std::string purpose = paging_purpose("logs:DescribeLogStreams", request.scope, order.purpose() + '\0' + group);
  const std::string start = page_start(logs.paging, purpose, input.next_token,
                                       invalid_parameter_exception("The specified nextToken is invalid."));
  const auto limit = static_cast<std::size_t>(input.limit.value_or(50));
  auto streams = page_of(logs, request.scope, group, input.log_stream_name_prefix.get(), order, start, limit);
  DescribeLogStreamsOutput output;
  output.next_token = end_page(logs.paging, purpose, limit, streams,
                               [&](const StreamRecord* stream) { return order.position_of(*stream); });
  output.log_streams.ensure();
  for (const StreamRecord* stream : streams) output.log_streams->push_back(describe(request.scope, *stream));
  return output;
}

}  // namespace brume::logs

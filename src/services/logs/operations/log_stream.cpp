// Log streams.
#include <algorithm>
#include <cstdio>

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

// Orders by the last event, then by name, as text that cut_page can compare.
std::string order_key(const StreamRecord& stream, bool by_time, bool descending) {
  if (!by_time) return stream.name;
  char number[24];
  const std::int64_t value = descending ? INT64_MAX - stream.last_event.ms : stream.last_event.ms;
  std::snprintf(number, sizeof number, "%020lld", static_cast<long long>(value));
  return std::string(number) + stream.name;
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
  const bool by_time = input.order_by.value_or("LogStreamName") == "LastEventTime";
  const bool descending = input.descending.value_or(false);
  if (by_time && input.log_stream_name_prefix)
    throw invalid_parameter_exception("Cannot order by LastEventTime with a logStreamNamePrefix.");
  auto streams = streams_of(logs, request.scope, group, input.log_stream_name_prefix.get());
  const auto key = [&](const StreamRecord* stream) { return order_key(*stream, by_time, descending); };
  std::ranges::sort(streams, {}, key);
  DescribeLogStreamsOutput output;
  // By name and descending there is no ascending key: such a listing comes in one piece, as large as the limit allows.
  if (descending && !by_time) {
    std::ranges::reverse(streams);
    const auto limit = static_cast<std::size_t>(input.limit.value_or(50));
    if (streams.size() > limit)
      throw invalid_parameter_exception("Brume does not serve several pages of streams by name in descending order.");
  } else {
    output.next_token = cut_page(logs.paging, paging_purpose("logs:DescribeLogStreams", request.scope, group),
                                 input.next_token, static_cast<std::size_t>(input.limit.value_or(50)), streams, key,
                                 invalid_parameter_exception("The specified nextToken is invalid."));
  }
  output.log_streams.ensure();
  for (const StreamRecord* stream : streams) output.log_streams->push_back(describe(request.scope, *stream));
  return output;
}

}  // namespace brume::logs

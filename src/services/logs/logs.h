// Amazon CloudWatch Logs: groups, streams, events on disk, retention, metric filters. Control thread; reads of events
// run on workers over a snapshot.
#pragma once

#include <boost/describe/class.hpp>
#include <map>
#include <string>
#include <vector>

#include "aws/paging.h"
#include "aws/request.h"
#include "aws/sinks.h"
#include "core/random.h"
#include "core/runtime.h"
#include "gen/logs.h"
#include "services/logs/live_tail.h"
#include "store/keyspace.h"
#include "store/table.h"

namespace brume::logs {

BOOST_DESCRIBE_STRUCT(MetricTransformation, (),
                      (metric_name, metric_namespace, metric_value, default_value, dimensions, unit))

struct MetricFilterRecord {
  std::string name, pattern;
  std::vector<MetricTransformation> transformations;
  Time created_at;
};
BOOST_DESCRIBE_STRUCT(MetricFilterRecord, (), (name, pattern, transformations, created_at))

struct GroupRecord {
  std::string name, log_class = "STANDARD";
  Time created_at;
  std::int64_t retention_days = 0;  // 0: never expires
  std::vector<MetricFilterRecord> metric_filters;
  Tags tags;
};
BOOST_DESCRIBE_STRUCT(GroupRecord, (), (name, log_class, created_at, retention_days, metric_filters, tags))

// Key: the group's name, a NUL, the stream's name.
struct StreamRecord {
  std::string group, name;
  std::string id;  // of its events on disk: a stream made again begins empty
  Time created_at, first_event, last_event, last_ingestion;
  std::int64_t stored_bytes = 0;
  std::int64_t events = 0;  // ever put: the next event's sequence number
};
BOOST_DESCRIBE_STRUCT(StreamRecord, (),
                      (group, name, id, created_at, first_event, last_event, last_ingestion, stored_bytes, events))

struct EventRecord {
  std::string message;
  Time ingested_at;
};
BOOST_DESCRIBE_STRUCT(EventRecord, (), (message, ingested_at))

struct LogsNeeds {
  Store& store;
  Clock& clock;
  Random& random;
  Control& control;
  Workers& workers;
  MetricSink& metrics;
};

struct Logs {
  explicit Logs(const LogsNeeds& needs);
  Logs(const Logs&) = delete;
  Logs& operator=(const Logs&) = delete;

  // Retention is applied now and every hour.
  void start();

  LogsNeeds needs;
  Table<GroupRecord> groups;
  Table<StreamRecord> streams;
  Keyspace events;  // stream id, timestamp, sequence → EventRecord
  PagingTokens paging;
  LiveTail tail;
};

std::string stream_key(const std::string& group, const std::string& stream);
// The group's streams whose names start with `prefix`, in the order of names: the first `most` from the name `from` on.
std::vector<const StreamRecord*> streams_of(const Logs& logs, const Scope& scope, const std::string& group,
                                            const std::string& prefix = {}, const std::string& from = {},
                                            std::size_t most = std::string::npos);
// ARN without the trailing ":*".
std::string group_arn(const Scope& scope, const std::string& name);
// The name of a group given by name or ARN.
std::string group_name_of(const opt<std::string>& name, const opt<std::string>& identifier);
const GroupRecord& get_group(const Logs& logs, const Scope& scope, const std::string& name);
const StreamRecord& get_stream(const Logs& logs, const Scope& scope, const std::string& group,
                               const std::string& stream);

// What other services and PutLogEvents share. The group and the stream must exist.
struct NewEvent {
  Time at;
  std::string message;
};
void put_events(Logs& logs, Tx& tx, const Scope& scope, const std::string& group, const std::string& stream,
                const std::vector<NewEvent>& events);
void create_group(Logs& logs, Tx& tx, const Scope& scope, const std::string& name, const Tags& tags);
void create_stream(Logs& logs, Tx& tx, const Scope& scope, const std::string& group, const std::string& stream);
// Removes a stream's record; its events go after the commit.
void erase_stream(Logs& logs, Tx& tx, const Scope& scope, const StreamRecord& stream);

}  // namespace brume::logs

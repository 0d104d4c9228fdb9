#include "services/logs/logs.h"

#include <algorithm>
#include <functional>

#include "services/logs/filter_pattern.h"
#include "store/record.h"

namespace brume::logs {
namespace {

std::string event_key(const std::string& stream_id, Time at, std::uint64_t sequence) {
  std::string key;
  append_key_string(key, stream_id);
  append_key_number(key, static_cast<std::uint64_t>(at.ms));
  append_key_number(key, sequence);
  return key;
}

// Everything of a stream that is older than its group's retention goes.
void expire(Logs& logs) {
  const Time now = logs.needs.clock.now();
  logs.needs.control.at(now + hours(1), [&logs] { expire(logs); });  // first: a full disk ends what follows
  logs.streams.for_all([&](const Scope& scope, std::string_view, const StreamRecord& stream) {
    const GroupRecord* group = logs.groups.find(scope, stream.group);
    if (group == nullptr || group->retention_days == 0) return;
    const Time oldest = now - days(group->retention_days);
    if (stream.first_event == Time{} || stream.first_event >= oldest) return;
    logs.events.erase_range(event_key(stream.id, Time{}, 0), event_key(stream.id, oldest, 0));
  });
}

// Metric filters see events as they come: "the metric filter … only publishes the metric data points for events that
// happen after the filter was created".
void feed_metric_filters(Logs& logs, const Scope& scope, const GroupRecord& group,
                         const std::vector<NewEvent>& events) {
  for (const MetricFilterRecord& filter : group.metric_filters) {
    const FilterPattern pattern = FilterPattern::parse(filter.pattern);
    for (const NewEvent& event : events) {
      const bool matches = pattern.matches(event.message);
      for (const MetricTransformation& transformation : filter.transformations) {
        double value = 0;
        if (matches && !pattern.value_of(transformation.metric_value.get(), event.message, value)) continue;
        if (!matches && !transformation.default_value) continue;
        if (!matches) value = *transformation.default_value;
        Metric metric{.scope = scope,
                      .name_space = transformation.metric_namespace.get(),
                      .name = transformation.metric_name.get(),
                      .value = value,
                      .unit = transformation.unit.value_or("None"),
                      .time = event.at};
        for (const auto& [name, selector] : transformation.dimensions.get())
          if (std::string text; pattern.text_of(selector, event.message, text))
            metric.dimensions.emplace_back(name, text);
        logs.needs.metrics.put(metric);
      }
    }
  }
}

}  // namespace

Logs::Logs(const LogsNeeds& given)
    : needs(given),
      groups(given.store, {"logs.group"}),
      streams(given.store, {"logs.stream"}),
      events(given.store, "logs.event"),
      paging(PagingTokens::load(given.store, given.random)),
      tail(given.clock, given.control, given.random) {}

void Logs::start() { expire(*this); }

std::string stream_key(const std::string& group, const std::string& stream) { return group + '\0' + stream; }

std::vector<const StreamRecord*> streams_of(const Logs& logs, const Scope& scope, const std::string& group,
                                            const std::string& prefix, const std::string& from, std::size_t most) {
  std::vector<const StreamRecord*> found;
  logs.streams.visit_from(scope, stream_key(group, std::max(prefix, from)), [&](const StreamRecord& stream) {
    if (found.size() == most || stream.group != group || !stream.name.starts_with(prefix)) return false;
    found.push_back(&stream);
    return true;
  });
  return found;
}

std::string group_arn(const Scope& scope, const std::string& name) {
  return make_arn(scope, "logs", "log-group:" + name);
}

std::string group_name_of(const opt<std::string>& name, const opt<std::string>& identifier) {
  if (name && identifier)
    throw invalid_parameter_exception("LogGroupName and LogGroupIdentifier cannot be specified together.");
  if (name) return *name;
  if (!identifier) throw invalid_parameter_exception("Either logGroupName or logGroupIdentifier must be specified.");
  const std::optional<Arn> arn = parse_arn(*identifier);
  if (!arn) return *identifier;
  std::string resource = arn->resource;
  constexpr std::string_view kPrefix = "log-group:";
  if (resource.starts_with(kPrefix)) resource.erase(0, kPrefix.size());
  if (resource.ends_with(":*")) resource.resize(resource.size() - 2);
  return resource;
}

const GroupRecord& get_group(const Logs& logs, const Scope& scope, const std::string& name) {
  const GroupRecord* group = logs.groups.find(scope, name);
  if (group == nullptr) throw resource_not_found_exception("The specified log group does not exist.");
  return *group;
}

const StreamRecord& get_stream(const Logs& logs, const Scope& scope, const std::string& group,
                               const std::string& stream) {
  get_group(logs, scope, group);
  const StreamRecord* found = logs.streams.find(scope, stream_key(group, stream));
  if (found == nullptr) throw resource_not_found_exception("The specified log stream does not exist.");
  return *found;
}

void create_group(Logs& logs, Tx& tx, const Scope& scope, const std::string& name, const Tags& tags) {
  if (logs.groups.find(scope, name) != nullptr)
    throw resource_already_exists_exception("The specified log group already exists");
  logs.groups.insert(tx, scope, name, {.name = name, .created_at = logs.needs.clock.now(), .tags = tags});
}

void create_stream(Logs& logs, Tx& tx, const Scope& scope, const std::string& group, const std::string& stream) {
  get_group(logs, scope, group);
  const std::string key = stream_key(group, stream);
  if (logs.streams.find(scope, key) != nullptr)
    throw resource_already_exists_exception("The specified log stream already exists");
  logs.streams.insert(
      tx, scope, key,
      {.group = group, .name = stream, .id = logs.needs.random.hex(16), .created_at = logs.needs.clock.now()});
}

void erase_stream(Logs& logs, Tx& tx, const Scope& scope, const StreamRecord& stream) {
  std::string from;
  append_key_string(from, stream.id);
  logs.events.erase_range(tx, from, prefix_end(from));
  logs.streams.erase(tx, scope, stream_key(stream.group, stream.name));
}

void put_events(Logs& logs, Tx& tx, const Scope& scope, const std::string& group, const std::string& stream,
                const std::vector<NewEvent>& events) {
  if (events.empty()) return;
  const Time now = logs.needs.clock.now();
  logs.streams.modify(tx, scope, stream_key(group, stream), [&](StreamRecord& record) {
    for (const NewEvent& event : events) {
      logs.events.put(tx, event_key(record.id, event.at, static_cast<std::uint64_t>(record.events++)),
                      encode_record(EventRecord{event.message, now}));
      // 26 bytes of overhead each, as PutLogEvents counts.
      record.stored_bytes += static_cast<std::int64_t>(event.message.size()) + 26;
      if (record.first_event == Time{} || event.at < record.first_event) record.first_event = event.at;
      record.last_event = std::max(record.last_event, event.at);
    }
    record.last_ingestion = now;
  });
  const GroupRecord& record = get_group(logs, scope, group);
  if (logs.tail.watched())
    tx.on_commit([&logs, scope, group, stream, events, now] { logs.tail.feed(scope, group, stream, events, now); });
  if (record.metric_filters.empty()) return;
  tx.on_commit([&logs, scope, group, events] {
    if (const GroupRecord* present = logs.groups.find(scope, group)) feed_metric_filters(logs, scope, *present, events);
  });
}

}  // namespace brume::logs

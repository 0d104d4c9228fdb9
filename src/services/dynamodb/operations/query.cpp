// Query and Scan: over a snapshot, by key order, a page of at most 1 MB; what is not over after a few items is read on
// a worker.
#include <algorithm>
#include <limits>

#include "services/dynamodb/item_store.h"
#include "services/dynamodb/write.h"

namespace brume::dynamodb {
namespace {

constexpr std::size_t kLargestPage = 1 << 20;
// Read where the request is handled: a change of threads costs more than these.
constexpr std::size_t kItemsAtOnce = 25;

struct Job {
  TableRecord table;
  std::optional<IndexRecord> index;
  std::string from, until;
  bool reverse = false;
  std::size_t limit = 0;  // 0: none
  std::optional<ConditionTree> filter;
  std::optional<Paths> projection;
  bool count_only = false;
  // Segments of a parallel scan: items are dealt by a hash of their partition.
  std::size_t segment = 0, segments = 1;

  std::vector<Item> items;
  std::size_t count = 0, scanned = 0, bytes = 0;
  std::optional<Item> last;
  bool over = false;  // the page is full, or there is nothing more
};

// The attributes that name a place: the table's keys and the index's.
Item place_of(const Job& job, const Item& item) {
  Item place;
  const auto take = [&](const std::string& name) {
    if (!name.empty()) place[name] = item.at(name);
  };
  take(job.table.hash);
  take(job.table.range);
  if (job.index) {
    take(job.index->hash);
    take(job.index->range);
  }
  return place;
}

Item projected_by_index(const Job& job, const Item& item) {
  Item result = place_of(job, item);
  for (const std::string& name : job.index->non_key_attributes)
    if (const auto found = item.find(name); found != item.end()) result[name] = found->second;
  return result;
}

bool in_segment(const Job& job, const Item& item) {
  if (job.segments == 1) return true;
  std::string partition;
  append_key_value(partition, item.at(job.table.hash));
  return std::hash<std::string>()(partition) % job.segments == job.segment;
}

// Takes one item; false: the page is full.
bool take(Job& job, Item whole) {
  if (!in_segment(job, whole)) return true;
  const bool all = !job.index || job.index->projection == "ALL";
  Item projected = all ? Item() : projected_by_index(job, whole);
  Item& item = all ? whole : projected;
  ++job.scanned;
  job.bytes += size_of(item);
  const bool full = (job.limit > 0 && job.scanned >= job.limit) || job.bytes >= kLargestPage;
  if (full) job.last = place_of(job, whole);
  if (!job.filter || holds(*job.filter, item)) {
    ++job.count;
    if (!job.count_only) job.items.push_back(job.projection ? project(*job.projection, item) : std::move(item));
  }
  return !full;
}

// Goes on from where it stopped before, for so many keys.
void run(const Dynamodb& dynamodb, const Snapshot& snapshot, Job& job, std::size_t most) {
  const Keyspace& keyspace = job.index ? dynamodb.entries : dynamodb.items;
  std::string stopped;
  const auto visit = [&](std::string_view key, std::string_view value) {
    if (most-- == 0) {
      stopped = key;
      return false;
    }
    if (!job.index) return take(job, decode_item(value));
    const auto item = dynamodb.items.get(snapshot, value);
    return !item || take(job, decode_item(*item));
  };
  keyspace.scan(snapshot, job.from, job.until, visit, job.reverse);
  job.over = stopped.empty();
  if (job.over) return;
  if (job.reverse)
    job.until = stopped + '\0';
  else
    job.from = stopped;
}

// The part of a key condition that bounds the range key.
void bound(Job& job, const ConditionTree& condition, const std::string& prefix) {
  const auto key_of = [&](std::size_t operand) {
    std::string key = prefix;
    append_key_value(key, condition.operands[operand].value);
    return key;
  };
  using Kind = ConditionTree::Kind;
  switch (condition.kind) {
    case Kind::equal:
      job.from = key_of(1), job.until = prefix_end(job.from);
      break;
    case Kind::less:
      job.until = key_of(1);
      break;
    case Kind::less_equal:
      job.until = prefix_end(key_of(1));
      break;
    case Kind::greater:
      job.from = prefix_end(key_of(1));
      break;
    case Kind::greater_equal:
      job.from = key_of(1);
      break;
    case Kind::between:
      job.from = key_of(1), job.until = prefix_end(key_of(2));
      break;
    case Kind::begins_with: {
      const AttributeValue& start = condition.operands[1].value;
      job.from = prefix;
      append_key_string_start(job.from, start.s ? "s" + *start.s : "b" + start.b.get());
      job.until = prefix_end(job.from);
      break;
    }
    default:
      throw validation(
          "Invalid operator used in KeyConditionExpression: only comparisons, BETWEEN and begins_with are allowed");
  }
}

// "hash = :v" and at most one condition on the range key.
void apply_key_condition(Job& job, const ConditionTree& condition) {
  std::vector<const ConditionTree*> parts;
  if (condition.kind == ConditionTree::Kind::all)
    for (const auto& part : condition.parts) parts.push_back(&part);
  else
    parts.push_back(&condition);
  const std::string& hash = job.index ? job.index->hash : job.table.hash;
  const std::string& range = job.index ? job.index->range : job.table.range;
  const ConditionTree *on_hash = nullptr, *on_range = nullptr;
  for (const ConditionTree* part : parts) {
    const bool simple = !part->operands.empty() && part->operands[0].kind == Operand::Kind::path &&
                        part->operands[0].path.size() == 1 &&
                        std::all_of(part->operands.begin() + 1, part->operands.end(),
                                    [](const Operand& o) { return o.kind == Operand::Kind::value; });
    if (!simple) throw validation("Invalid KeyConditionExpression: Operands must be key attributes and values");
    const std::string& name = part->operands[0].path[0].name;
    if (name == hash && part->kind == ConditionTree::Kind::equal && on_hash == nullptr)
      on_hash = part;
    else if (name == range && !range.empty() && on_range == nullptr)
      on_range = part;
    else
      throw validation("Query key condition not supported");
  }
  if (on_hash == nullptr) throw validation("Query condition missed key schema element: " + hash);
  for (const ConditionTree* part : {on_hash, on_range}) {
    if (part == nullptr) continue;
    for (std::size_t i = 1; i < part->operands.size(); ++i)
      if (type_of(part->operands[i].value) != job.table.attribute_types.at(part->operands[0].path[0].name))
        throw validation(
            "One or more parameter values were invalid: Condition parameter type does not match schema type");
  }
  const std::string prefix = partition_prefix(job.table, job.index ? &*job.index : nullptr, on_hash->operands[1].value);
  job.from = prefix;
  job.until = prefix_end(prefix);
  if (on_range != nullptr) bound(job, *on_range, prefix);
}

template <class Input>
std::shared_ptr<Job> begin(const Dynamodb& dynamodb, const Scope& scope, const Input& input) {
  if (!input.attributes_to_get.get().empty() || input.conditional_operator)
    throw validation(
        "Brume does not serve the legacy parameters (AttributesToGet, ConditionalOperator): use expressions.");
  auto job = std::make_shared<Job>();  // shared with the worker
  job->table = get_table(dynamodb, scope, input.table_name.get());
  if (input.index_name) {
    const IndexRecord* index = find_index(job->table, *input.index_name);
    if (index == nullptr) throw validation("The table does not have the specified index: " + *input.index_name);
    if (index->global && input.consistent_read.value_or(false))
      throw validation("Consistent reads are not supported on global secondary indexes");
    if (index->status == "CREATING")
      throw validation("Cannot read from backfilling global secondary index: " + index->name);
    job->index = *index;
  }
  job->limit = static_cast<std::size_t>(input.limit.value_or(0));
  job->count_only = input.select.get() == "COUNT";
  return job;
}

// The page goes on after the place that the last one ended at.
void continue_after(Job& job, Item place) {
  normalize(place);
  std::string key;
  try {
    key = job.index ? entry_key(job.table, *job.index, place).value() : item_key(job.table, place, true);
  } catch (const std::exception&) {
    throw validation("The provided starting key is invalid");
  }
  if (job.reverse)
    job.until = std::min(job.until, key);
  else
    job.from = std::max(job.from, key + '\0');
  if (job.from > job.until) job.until = job.from;
}

template <class Output, class Input>
void answer(Dynamodb& dynamodb, const std::shared_ptr<Job>& job, const Input& input, const Deferred<Output>& reply) {
  auto snapshot = dynamodb.items.snapshot();
  const bool consistent = input.consistent_read.value_or(false);
  auto tell = [job, reply, consistent, asked = input.return_consumed_capacity, table = input.table_name.get()] {
    Output output;
    output.count = static_cast<std::int64_t>(job->count);
    output.scanned_count = static_cast<std::int64_t>(job->scanned);
    if (!job->count_only) output.items = std::move(job->items);
    if (job->last) output.last_evaluated_key = *job->last;
    output.consumed_capacity = consumed(asked, table, std::max(read_units(job->bytes, consistent), 0.5));
    reply.succeed(std::move(output));
  };
  run(dynamodb, *snapshot, *job, kItemsAtOnce);
  if (job->over) return tell();
  dynamodb.needs.workers.run(
      [&dynamodb, job, snapshot] { run(dynamodb, *snapshot, *job, std::numeric_limits<std::size_t>::max()); },
      std::move(tell));
}

}  // namespace

void query(Dynamodb& dynamodb, Tx&, const Request<QueryInput>& request, Deferred<QueryOutput> reply) {
  const QueryInput& input = request.input;
  if (!input.key_conditions.get().empty() || !input.query_filter.get().empty())
    throw validation("Brume does not serve the legacy parameters (KeyConditions, QueryFilter): use expressions.");
  if (!input.key_condition_expression)
    throw validation("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.");
  auto job = begin(dynamodb, request.scope, input);
  Placeholders placeholders(input.expression_attribute_names.get(), input.expression_attribute_values.get());
  apply_key_condition(*job, parse_condition(*input.key_condition_expression, placeholders, "KeyConditionExpression"));
  if (input.filter_expression)
    job->filter = parse_condition(*input.filter_expression, placeholders, "FilterExpression");
  if (input.projection_expression) job->projection = parse_projection(*input.projection_expression, placeholders);
  placeholders.check_all_used();
  job->reverse = !input.scan_index_forward.value_or(true);
  if (!input.exclusive_start_key.get().empty()) continue_after(*job, *input.exclusive_start_key);
  answer(dynamodb, job, input, reply);
}

void scan(Dynamodb& dynamodb, Tx&, const Request<ScanInput>& request, Deferred<ScanOutput> reply) {
  const ScanInput& input = request.input;
  if (!input.scan_filter.get().empty())
    throw validation("Brume does not serve the legacy parameter ScanFilter: use FilterExpression.");
  auto job = begin(dynamodb, request.scope, input);
  Placeholders placeholders(input.expression_attribute_names.get(), input.expression_attribute_values.get());
  if (input.filter_expression)
    job->filter = parse_condition(*input.filter_expression, placeholders, "FilterExpression");
  if (input.projection_expression) job->projection = parse_projection(*input.projection_expression, placeholders);
  placeholders.check_all_used();
  if (input.total_segments.has_value() != input.segment.has_value())
    throw validation(
        "The TotalSegments parameter is required but was not present in the request when Segment parameter is present");
  job->segments = static_cast<std::size_t>(input.total_segments.value_or(1));
  job->segment = static_cast<std::size_t>(input.segment.value_or(0));
  if (job->segment >= job->segments)
    throw validation("The Segment parameter is zero-based and must be less than parameter TotalSegments");
  job->from = whole_prefix(job->table, job->index ? &*job->index : nullptr);
  job->until = prefix_end(job->from);
  if (!input.exclusive_start_key.get().empty()) continue_after(*job, *input.exclusive_start_key);
  answer(dynamodb, job, input, reply);
}

}  // namespace brume::dynamodb

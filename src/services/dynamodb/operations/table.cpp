// Tables: made, described, changed, tagged.
#include <algorithm>
#include <set>

#include "services/dynamodb/item_store.h"
#include "store/erasures.h"

namespace brume::dynamodb {
namespace {

void refuse_if(bool given, const std::string& what) {
  if (given) throw validation("Brume does not serve " + what + ".");
}

// The names of the hash and the range key.
std::pair<std::string, std::string> read_schema(const std::vector<KeySchemaElement>& schema) {
  std::pair<std::string, std::string> keys;
  for (const KeySchemaElement& element : schema)
    (element.key_type.get() == "HASH" ? keys.first : keys.second) = element.attribute_name.get();
  if (schema.empty() || schema.size() > 2 || keys.first.empty() || schema.front().key_type.get() != "HASH")
    throw validation("Invalid KeySchema: The first KeySchemaElement is not a HASH key type");
  return keys;
}

template <class Index>
IndexRecord read_index(const Index& given, bool global) {
  IndexRecord index;
  index.name = given.index_name.get();
  std::tie(index.hash, index.range) = read_schema(given.key_schema.get());
  index.projection = given.projection.get().projection_type.value_or("ALL");
  index.non_key_attributes = given.projection.get().non_key_attributes.get();
  index.global = global;
  if constexpr (requires { given.provisioned_throughput; }) {
    index.read_units = given.provisioned_throughput.get().read_capacity_units.value_or(0);
    index.write_units = given.provisioned_throughput.get().write_capacity_units.value_or(0);
  }
  if (index.projection == "INCLUDE" && index.non_key_attributes.empty())
    throw validation(
        "One or more parameter values were invalid: ProjectionType is INCLUDE, but NonKeyAttributes is not specified");
  return index;
}

void check_attributes(const TableRecord& table) {
  std::set<std::string> used = {table.hash};
  if (!table.range.empty()) used.insert(table.range);
  for (const IndexRecord& index : table.indexes) {
    used.insert(index.hash);
    if (!index.range.empty()) used.insert(index.range);
  }
  for (const std::string& name : used)
    if (!table.attribute_types.contains(name))
      throw validation(
          "One or more parameter values were invalid: Some index key attributes are not defined in "
          "AttributeDefinitions. Keys: [" +
          name + "]");
  if (used.size() != table.attribute_types.size())
    throw validation(
        "One or more parameter values were invalid: Number of attributes in KeySchema does not exactly match number of "
        "attributes defined in AttributeDefinitions");
}

std::vector<KeySchemaElement> write_schema(const std::string& hash, const std::string& range) {
  std::vector<KeySchemaElement> schema(range.empty() ? 1 : 2);
  schema[0].attribute_name = hash;
  schema[0].key_type = "HASH";
  if (!range.empty()) {
    schema[1].attribute_name = range;
    schema[1].key_type = "RANGE";
  }
  return schema;
}

template <class Description>
Description describe_index(const Scope& scope, const TableRecord& table, const IndexRecord& index) {
  Description description;
  description.index_name = index.name;
  description.key_schema = write_schema(index.hash, index.range);
  description.projection.emplace().projection_type = index.projection;
  if (!index.non_key_attributes.empty()) description.projection->non_key_attributes = index.non_key_attributes;
  description.index_size_bytes = 0;
  description.item_count = 0;
  description.index_arn = table_arn(scope, table.name) + "/index/" + index.name;
  if constexpr (requires { description.index_status; }) {
    description.index_status = index.status;
    if (index.status == "CREATING") description.backfilling = true;
    description.provisioned_throughput.emplace().read_capacity_units = index.read_units;
    description.provisioned_throughput->write_capacity_units = index.write_units;
    description.provisioned_throughput->number_of_decreases_today = 0;
  }
  return description;
}

TableDescription describe(const Dynamodb& dynamodb, const Scope& scope, const TableRecord& table) {
  TableDescription description;
  description.table_name = table.name;
  description.table_arn = table_arn(scope, table.name);
  description.table_id = table.id;
  description.table_status = table.status;
  description.creation_date_time = table.created_at;
  description.key_schema = write_schema(table.hash, table.range);
  for (const auto& [name, type] : table.attribute_types) {
    AttributeDefinition& definition = description.attribute_definitions.ensure().emplace_back();
    definition.attribute_name = name;
    definition.attribute_type = type;
  }
  description.provisioned_throughput.emplace().read_capacity_units = table.read_units;
  description.provisioned_throughput->write_capacity_units = table.write_units;
  description.provisioned_throughput->number_of_decreases_today = 0;
  if (table.billing_mode == "PAY_PER_REQUEST") {
    description.billing_mode_summary.emplace().billing_mode = table.billing_mode;
    description.billing_mode_summary->last_update_to_pay_per_request_date_time = table.on_demand_since;
  }
  const CountRecord count = count_of(dynamodb, scope, table);
  description.table_size_bytes = count.bytes;
  description.item_count = count.items;
  description.deletion_protection_enabled = table.deletion_protection;
  description.table_class_summary.emplace().table_class = table.table_class;
  for (const IndexRecord& index : table.indexes) {
    if (index.global)
      description.global_secondary_indexes.ensure().push_back(
          describe_index<GlobalSecondaryIndexDescription>(scope, table, index));
    else
      description.local_secondary_indexes.ensure().push_back(
          describe_index<LocalSecondaryIndexDescription>(scope, table, index));
  }
  return description;
}

void read_billing(TableRecord& table, const opt<std::string>& mode, const opt<ProvisionedThroughput>& throughput,
                  Time now) {
  table.billing_mode = mode.value_or("PROVISIONED");
  if (table.billing_mode == "PAY_PER_REQUEST") {
    if (throughput)
      throw validation(
          "One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be "
          "specified when BillingMode is PAY_PER_REQUEST");
    table.read_units = table.write_units = 0;
    table.on_demand_since = now;
    return;
  }
  if (!throughput)
    throw validation(
        "One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be specified "
        "when BillingMode is PROVISIONED");
  table.read_units = throughput->read_capacity_units.value_or(0);
  table.write_units = throughput->write_capacity_units.value_or(0);
}

template <class Input>
void refuse_unserved(const Input& input) {
  refuse_if(input.stream_specification.has_value() && input.stream_specification->stream_enabled.value_or(false),
            "StreamSpecification (DynamoDB Streams)");
  refuse_if(input.sse_specification.has_value() && input.sse_specification->enabled.value_or(false),
            "SSESpecification (KMS keys)");
  refuse_if(input.on_demand_throughput.has_value(), "OnDemandThroughput");
  refuse_if(input.warm_throughput.has_value(), "WarmThroughput");
}

const TableRecord& table_of_arn(const Dynamodb& dynamodb, const Scope& scope, const std::string& text) {
  const auto arn = parse_arn(text);
  if (!arn || arn->service != "dynamodb")
    throw validation("Invalid TableArn: Invalid ResourceArn provided as input " + text);
  return get_table(dynamodb, scope, text);
}

}  // namespace

CreateTableOutput create_table(Dynamodb& dynamodb, Tx& tx, const Request<CreateTableInput>& request) {
  const CreateTableInput& input = request.input;
  refuse_unserved(input);
  refuse_if(input.resource_policy.has_value(), "ResourcePolicy of tables");
  refuse_if(!input.vector_indexes.get().empty(), "VectorIndexes");
  refuse_if(input.global_table_source_arn.has_value(), "GlobalTableSourceArn");
  const std::string& name = input.table_name.get();
  if (dynamodb.tables.find(request.scope, name) != nullptr)
    throw resource_in_use_exception("Table already exists: " + name);
  TableRecord table;
  table.name = name;
  table.id = dynamodb.needs.random.uuid();
  std::tie(table.hash, table.range) = read_schema(input.key_schema.get());
  for (const AttributeDefinition& definition : input.attribute_definitions.get())
    table.attribute_types[definition.attribute_name.get()] = definition.attribute_type.get();
  read_billing(table, input.billing_mode, input.provisioned_throughput, request.now);
  for (const auto& index : input.global_secondary_indexes.get()) table.indexes.push_back(read_index(index, true));
  for (const auto& index : input.local_secondary_indexes.get()) {
    table.indexes.push_back(read_index(index, false));
    if (table.indexes.back().hash != table.hash)
      throw validation(
          "One or more parameter values were invalid: Index KeySchema does not have the same leading hash key as table "
          "KeySchema for index: " +
          table.indexes.back().name);
  }
  check_attributes(table);
  table.table_class = input.table_class.value_or("STANDARD");
  table.deletion_protection = input.deletion_protection_enabled.value_or(false);
  table.created_at = request.now;
  table.tags = tags_from(input.tags.get());
  if (std::string problem = tag_problem(table.tags); !problem.empty()) throw validation(problem);
  CreateTableOutput output;
  output.table_description =
      describe(dynamodb, request.scope, dynamodb.tables.insert(tx, request.scope, name, std::move(table)));
  // As AWS answers; the next look finds it ACTIVE.
  output.table_description->table_status = "CREATING";
  return output;
}

DeleteTableOutput delete_table(Dynamodb& dynamodb, Tx& tx, const Request<DeleteTableInput>& request) {
  const TableRecord table = get_table(dynamodb, request.scope, request.input.table_name.get());
  if (table.deletion_protection)
    throw validation(
        "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.");
  TableDescription description = describe(dynamodb, request.scope, table);
  dynamodb.tables.erase(tx, request.scope, table.name);
  dynamodb.counts.erase(tx, request.scope, table.id);
  erase_all(dynamodb, tx, table);
  DeleteTableOutput output;
  output.table_description = std::move(description);
  output.table_description->table_status = "DELETING";
  return output;
}

DescribeTableOutput describe_table(Dynamodb& dynamodb, Tx&, const Request<DescribeTableInput>& request) {
  DescribeTableOutput output;
  output.table = describe(dynamodb, request.scope, get_table(dynamodb, request.scope, request.input.table_name.get()));
  return output;
}

UpdateTableOutput update_table(Dynamodb& dynamodb, Tx& tx, const Request<UpdateTableInput>& request) {
  const UpdateTableInput& input = request.input;
  refuse_unserved(input);
  refuse_if(!input.replica_updates.get().empty(), "ReplicaUpdates (global tables)");
  refuse_if(!input.vector_index_updates.get().empty(), "VectorIndexUpdates");
  const std::string name = get_table(dynamodb, request.scope, input.table_name.get()).name;
  std::vector<std::string> made, removed;
  const TableRecord& changed = dynamodb.tables.modify(tx, request.scope, name, [&](TableRecord& table) {
    for (const AttributeDefinition& definition : input.attribute_definitions.get())
      table.attribute_types[definition.attribute_name.get()] = definition.attribute_type.get();
    if (input.billing_mode)
      read_billing(table, input.billing_mode, input.provisioned_throughput, request.now);
    else if (input.provisioned_throughput)
      read_billing(table, opt<std::string>(table.billing_mode), input.provisioned_throughput, request.now);
    table.table_class = input.table_class.value_or(table.table_class);
    table.deletion_protection = input.deletion_protection_enabled.value_or(table.deletion_protection);
    for (const GlobalSecondaryIndexUpdate& update : input.global_secondary_index_updates.get()) {
      if (update.create) {
        if (find_index(table, update.create->index_name.get()) != nullptr)
          throw validation("Attempting to create an index which already exists");
        finish_erasures(tx.store());  // of one that had its name
        IndexRecord index = read_index(*update.create, true);
        index.status = "CREATING";
        made.push_back(index.name);
        table.indexes.push_back(std::move(index));
        table.status = "UPDATING";
      }
      if (update.delete_) {
        const std::string& index = update.delete_->index_name.get();
        if (find_index(table, index) == nullptr)
          throw resource_not_found_exception("Requested resource not found: Index: " + index + " not found");
        std::erase_if(table.indexes, [&](const IndexRecord& present) { return present.name == index; });
        removed.push_back(index);
      }
      if (update.update) {
        for (IndexRecord& index : table.indexes) {
          if (index.name != update.update->index_name.get()) continue;
          index.read_units = update.update->provisioned_throughput.get().read_capacity_units.value_or(index.read_units);
          index.write_units =
              update.update->provisioned_throughput.get().write_capacity_units.value_or(index.write_units);
        }
      }
    }
    // Definitions that nothing uses any more go with the index.
    std::set<std::string> used = {table.hash, table.range};
    for (const IndexRecord& index : table.indexes) used.insert({index.hash, index.range});
    std::erase_if(table.attribute_types, [&](const auto& entry) { return !used.contains(entry.first); });
    check_attributes(table);
  });
  for (const std::string& index : removed) erase_entries(dynamodb, tx, changed, index);
  tx.on_commit([&dynamodb, scope = request.scope, table = changed, made] {
    for (const std::string& index : made) fill_index(dynamodb, scope, table.name, index);
  });
  UpdateTableOutput output;
  output.table_description = describe(dynamodb, request.scope, changed);
  return output;
}

ListTablesOutput list_tables(Dynamodb& dynamodb, Tx&, const Request<ListTablesInput>& request) {
  const auto limit = static_cast<std::size_t>(request.input.limit.value_or(100));
  ListTablesOutput output;
  output.table_names.ensure();
  const opt<std::string>& start = request.input.exclusive_start_table_name;
  dynamodb.tables.visit_from(request.scope, start ? *start + '\0' : "", [&](const TableRecord& table) {
    if (output.table_names->size() == limit) {
      output.last_evaluated_table_name = output.table_names->back();
      return false;
    }
    output.table_names->push_back(table.name);
    return true;
  });
  return output;
}

DescribeTimeToLiveOutput describe_time_to_live(Dynamodb& dynamodb, Tx&,
                                               const Request<DescribeTimeToLiveInput>& request) {
  const TableRecord& table = get_table(dynamodb, request.scope, request.input.table_name.get());
  DescribeTimeToLiveOutput output;
  output.time_to_live_description.emplace().time_to_live_status = table.ttl_attribute.empty() ? "DISABLED" : "ENABLED";
  if (!table.ttl_attribute.empty()) output.time_to_live_description->attribute_name = table.ttl_attribute;
  return output;
}

UpdateTimeToLiveOutput update_time_to_live(Dynamodb& dynamodb, Tx& tx, const Request<UpdateTimeToLiveInput>& request) {
  const std::string name = get_table(dynamodb, request.scope, request.input.table_name.get()).name;
  const TimeToLiveSpecification& wanted = request.input.time_to_live_specification.get();
  const std::string& present = dynamodb.tables.find(request.scope, name)->ttl_attribute;
  if (wanted.enabled.value_or(false) == !present.empty())
    throw validation(present.empty() ? "TimeToLive is already disabled" : "TimeToLive is already enabled");
  dynamodb.tables.modify(tx, request.scope, name, [&](TableRecord& table) {
    table.ttl_attribute = wanted.enabled.value_or(false) ? wanted.attribute_name.get() : "";
  });
  tx.on_commit([&dynamodb, scope = request.scope, name] {
    if (const TableRecord* table = dynamodb.tables.find(scope, name)) dynamodb.expiry.note(*table, std::nullopt);
  });
  UpdateTimeToLiveOutput output;
  output.time_to_live_specification = wanted;
  return output;
}

DescribeContinuousBackupsOutput describe_continuous_backups(Dynamodb& dynamodb, Tx&,
                                                            const Request<DescribeContinuousBackupsInput>& request) {
  const std::string& name = request.input.table_name.get();
  if (dynamodb.tables.find(request.scope, name.substr(name.rfind('/') + 1)) == nullptr)
    throw table_not_found_exception("Table not found: " + name);
  DescribeContinuousBackupsOutput output;
  output.continuous_backups_description.emplace().continuous_backups_status = "ENABLED";
  output.continuous_backups_description->point_in_time_recovery_description.emplace().point_in_time_recovery_status =
      "DISABLED";
  return output;
}

UpdateContinuousBackupsOutput update_continuous_backups(Dynamodb& dynamodb, Tx&,
                                                        const Request<UpdateContinuousBackupsInput>& request) {
  get_table(dynamodb, request.scope, request.input.table_name.get());
  refuse_if(request.input.point_in_time_recovery_specification.get().point_in_time_recovery_enabled.value_or(false),
            "point-in-time recovery");
  UpdateContinuousBackupsOutput output;
  output.continuous_backups_description.emplace().continuous_backups_status = "ENABLED";
  output.continuous_backups_description->point_in_time_recovery_description.emplace().point_in_time_recovery_status =
      "DISABLED";
  return output;
}

TagResourceOutput tag_resource(Dynamodb& dynamodb, Tx& tx, const Request<TagResourceInput>& request) {
  Tags tags = table_of_arn(dynamodb, request.scope, request.input.resource_arn.get()).tags;
  for (const auto& [key, value] : tags_from(request.input.tags.get())) tags[key] = value;
  if (std::string problem = tag_problem(tags); !problem.empty()) throw validation(problem);
  const std::string name = table_of_arn(dynamodb, request.scope, request.input.resource_arn.get()).name;
  dynamodb.tables.modify(tx, request.scope, name, [&](TableRecord& table) { table.tags = tags; });
  return {};
}

UntagResourceOutput untag_resource(Dynamodb& dynamodb, Tx& tx, const Request<UntagResourceInput>& request) {
  const std::string name = table_of_arn(dynamodb, request.scope, request.input.resource_arn.get()).name;
  dynamodb.tables.modify(tx, request.scope, name, [&](TableRecord& table) {
    for (const std::string& key : request.input.tag_keys.get()) table.tags.erase(key);
  });
  return {};
}

ListTagsOfResourceOutput list_tags_of_resource(Dynamodb& dynamodb, Tx&,
                                               const Request<ListTagsOfResourceInput>& request) {
  ListTagsOfResourceOutput output;
  output.tags = tags_to<Tag>(table_of_arn(dynamodb, request.scope, request.input.resource_arn.get()).tags);
  return output;
}

DescribeEndpointsOutput describe_endpoints(Dynamodb&, Tx&, const Request<DescribeEndpointsInput>& request) {
  DescribeEndpointsOutput output;
  Endpoint& endpoint = output.endpoints.ensure().emplace_back();
  endpoint.address = "dynamodb." + request.scope.region + "." + std::string(dns_suffix_of(request.scope.region));
  endpoint.cache_period_in_minutes = 1440;
  return output;
}

DescribeLimitsOutput describe_limits(Dynamodb&, Tx&, const Request<DescribeLimitsInput>&) {
  DescribeLimitsOutput output;
  output.account_max_read_capacity_units = 80'000;
  output.account_max_write_capacity_units = 80'000;
  output.table_max_read_capacity_units = 40'000;
  output.table_max_write_capacity_units = 40'000;
  return output;
}

}  // namespace brume::dynamodb

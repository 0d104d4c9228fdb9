// Single items.
#include "services/dynamodb/item_store.h"
#include "services/dynamodb/write.h"

namespace brume::dynamodb {
namespace {

// The parameters that expressions replaced ("Legacy conditional parameters").
template <class Input>
void refuse_legacy(const Input& input) {
  bool legacy = false;
  if constexpr (requires { input.expected; }) legacy = legacy || !input.expected.get().empty();
  if constexpr (requires { input.conditional_operator; }) legacy = legacy || input.conditional_operator.has_value();
  if constexpr (requires { input.attribute_updates; }) legacy = legacy || !input.attribute_updates.get().empty();
  if constexpr (requires { input.attributes_to_get; }) legacy = legacy || !input.attributes_to_get.get().empty();
  if (legacy)
    throw validation(
        "Brume does not serve the legacy parameters (Expected, ConditionalOperator, AttributeUpdates, "
        "AttributesToGet): use expressions.");
}

template <class Input>
Write write_of(Write::Kind kind, const Input& input, const Item& item) {
  refuse_legacy(input);
  Write write;
  write.kind = kind;
  write.table = input.table_name.get();
  write.item = item;
  write.condition = input.condition_expression;
  write.names = input.expression_attribute_names.get();
  write.values = input.expression_attribute_values.get();
  write.on_failure = input.return_values_on_condition_check_failure.get();
  return write;
}

// The attributes that the update named, in an item.
Item touched(const UpdateTree& update, const std::optional<Item>& item) {
  if (!item) return {};
  Paths paths;
  for (const auto& clause : update.clauses) paths.push_back(clause.path);
  return project(paths, *item);
}

}  // namespace

PutItemOutput put_item(Dynamodb& dynamodb, Tx& tx, const Request<PutItemInput>& request) {
  const PutItemInput& input = request.input;
  const std::string wanted = input.return_values.value_or("NONE");
  if (wanted != "NONE" && wanted != "ALL_OLD") throw validation("Return values set to invalid value");
  const Written written = carry_out(dynamodb, tx, request.scope, write_of(Write::Kind::put, input, input.item.get()));
  PutItemOutput output;
  if (wanted == "ALL_OLD" && written.before) output.attributes = *written.before;
  output.consumed_capacity = consumed(input.return_consumed_capacity, input.table_name.get(), written.units);
  return output;
}

DeleteItemOutput delete_item(Dynamodb& dynamodb, Tx& tx, const Request<DeleteItemInput>& request) {
  const DeleteItemInput& input = request.input;
  const std::string wanted = input.return_values.value_or("NONE");
  if (wanted != "NONE" && wanted != "ALL_OLD") throw validation("Return values set to invalid value");
  const Written written = carry_out(dynamodb, tx, request.scope, write_of(Write::Kind::erase, input, input.key.get()));
  DeleteItemOutput output;
  if (wanted == "ALL_OLD" && written.before) output.attributes = *written.before;
  output.consumed_capacity = consumed(input.return_consumed_capacity, input.table_name.get(), written.units);
  return output;
}

UpdateItemOutput update_item(Dynamodb& dynamodb, Tx& tx, const Request<UpdateItemInput>& request) {
  const UpdateItemInput& input = request.input;
  Write write = write_of(Write::Kind::update, input, input.key.get());
  write.update = input.update_expression;
  const Written written = carry_out(dynamodb, tx, request.scope, std::move(write));
  const std::string wanted = input.return_values.value_or("NONE");
  UpdateItemOutput output;
  if (wanted == "ALL_OLD" && written.before) output.attributes = *written.before;
  if (wanted == "ALL_NEW") output.attributes = *written.after;
  if (wanted == "UPDATED_OLD" && written.update) output.attributes = touched(*written.update, written.before);
  if (wanted == "UPDATED_NEW" && written.update) output.attributes = touched(*written.update, written.after);
  output.consumed_capacity = consumed(input.return_consumed_capacity, input.table_name.get(), written.units);
  return output;
}

GetItemOutput get_item(Dynamodb& dynamodb, Tx& tx, const Request<GetItemInput>& request) {
  const GetItemInput& input = request.input;
  refuse_legacy(input);
  const TableRecord& table = get_table(dynamodb, request.scope, input.table_name.get());
  Item key = input.key.get();
  normalize(key);
  Placeholders placeholders(input.expression_attribute_names.get(), {});
  std::optional<Paths> projection;
  if (input.projection_expression) projection = parse_projection(*input.projection_expression, placeholders);
  placeholders.check_all_used();
  auto item = read_item(dynamodb, tx, item_key(table, key, true));
  GetItemOutput output;
  output.consumed_capacity =
      consumed(input.return_consumed_capacity, input.table_name.get(),
               std::max(read_units(item ? size_of(*item) : 0, input.consistent_read.value_or(false)), 0.5));
  if (item) output.item = projection ? project(*projection, *item) : *std::move(item);
  return output;
}

}  // namespace brume::dynamodb

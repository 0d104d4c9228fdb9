// Batches and transactions.
#include <set>

#include "core/text.h"
#include "services/dynamodb/item_store.h"
#include "services/dynamodb/write.h"

namespace brume::dynamodb {
namespace {

constexpr std::size_t kMostBatchGets = 100, kMostBatchWrites = 25, kMostTransactionItems = 100;
constexpr Duration kTokenLife = minutes(10);

std::optional<Item> get_one(const Dynamodb& dynamodb, const Tx& tx, const Scope& scope, const std::string& table_name,
                            Item key, const opt<std::string>& projection,
                            const std::map<std::string, std::string>& names) {
  const TableRecord& table = get_table(dynamodb, scope, table_name);
  normalize(key);
  Placeholders placeholders(names, {});
  std::optional<Paths> paths;
  if (projection) paths = parse_projection(*projection, placeholders);
  placeholders.check_all_used();
  const auto item = read_item(dynamodb, tx, item_key(table, key, true));
  return item && paths ? project(*paths, *item) : item;
}

template <class Action>
Write write_of(Write::Kind kind, const Action& action, const Item& item) {
  Write write;
  write.kind = kind;
  write.table = action.table_name.get();
  write.item = item;
  write.condition = action.condition_expression;
  write.names = action.expression_attribute_names.get();
  write.values = action.expression_attribute_values.get();
  write.on_failure = action.return_values_on_condition_check_failure.get();
  return write;
}

Write write_of(const TransactWriteItem& item) {
  if (item.put) return write_of(Write::Kind::put, *item.put, item.put->item.get());
  if (item.delete_) return write_of(Write::Kind::erase, *item.delete_, item.delete_->key.get());
  if (item.condition_check) return write_of(Write::Kind::check, *item.condition_check, item.condition_check->key.get());
  if (!item.update) throw validation("TransactItems can only contain one of Check, Put, Update or Delete");
  Write write = write_of(Write::Kind::update, *item.update, item.update->key.get());
  write.update = item.update->update_expression;
  return write;
}

// What a transaction's token was first used for: the same again does nothing, another request is refused.
std::string fingerprint(const TransactWriteItemsInput& input) {
  std::string text;
  for (const TransactWriteItem& item : input.transact_items.get()) {
    const Write write = write_of(item);
    text += std::to_string(static_cast<int>(write.kind)) + write.table + item_json(write.item) + write.condition.get() +
            write.update.get() + item_json(write.values);
  }
  return to_hex(sha256(text));
}

// True when the token was used for the same request before.
bool was_done(Dynamodb& dynamodb, Tx& tx, const Scope& scope, const TransactWriteItemsInput& input, Time now) {
  if (!input.client_request_token) return false;
  const std::string print = fingerprint(input);
  const TransactionRecord* before = dynamodb.transactions.find(scope, *input.client_request_token);
  if (before != nullptr && before->at + kTokenLife > now) {
    if (before->fingerprint != print)
      throw idempotent_parameter_mismatch_exception(
          "The request uses the same client token as a previous, but non-identical request.");
    return true;
  }
  dynamodb.transactions.put(tx, scope, *input.client_request_token, {print, now});
  return false;
}

AwsError canceled(const std::vector<std::string>& codes, const std::vector<std::string>& reasons) {
  std::string list, detail;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    list += (i > 0 ? ", " : "") + codes[i];
    detail += (i > 0 ? "," : "") + reasons[i];
  }
  return transaction_canceled_exception(
             "Transaction cancelled, please refer cancellation reasons for specific reasons [" + list + "]")
      .with("CancellationReasons", "[" + detail + "]");
}

}  // namespace

BatchGetItemOutput batch_get_item(Dynamodb& dynamodb, Tx& tx, const Request<BatchGetItemInput>& request) {
  BatchGetItemOutput output;
  output.responses.ensure();
  output.unprocessed_keys.ensure();
  std::size_t count = 0;
  for (const auto& [table, wanted] : request.input.request_items.get()) {
    auto& found = (*output.responses)[table];
    std::set<std::string> seen;
    for (const Item& key : wanted.keys.get()) {
      if (++count > kMostBatchGets) throw validation("Too many items requested for the BatchGetItem call");
      if (!seen.insert(item_json(key)).second) throw validation("Provided list of item keys contains duplicates");
      auto item = get_one(dynamodb, tx, request.scope, table, key, wanted.projection_expression,
                          wanted.expression_attribute_names.get());
      if (item) found.push_back(std::move(*item));
    }
  }
  return output;
}

BatchWriteItemOutput batch_write_item(Dynamodb& dynamodb, Tx& tx, const Request<BatchWriteItemInput>& request) {
  std::size_t count = 0;
  std::set<std::string> seen;
  for (const auto& [table_name, writes] : request.input.request_items.get()) {
    for (const WriteRequest& one : writes) {
      if (++count > kMostBatchWrites) throw validation("Too many items requested for the BatchWriteItem call");
      Write write;
      write.kind = one.put_request ? Write::Kind::put : Write::Kind::erase;
      write.table = table_name;
      write.item = one.put_request ? one.put_request->item.get() : one.delete_request.get().key.get();
      Item normal = write.item;
      normalize(normal);
      if (!seen.insert(item_key(get_table(dynamodb, request.scope, table_name), normal, !one.put_request)).second)
        throw validation("Provided list of item keys contains duplicates");
      carry_out(dynamodb, tx, request.scope, std::move(write));
    }
  }
  BatchWriteItemOutput output;
  output.unprocessed_items.ensure();
  return output;
}

TransactGetItemsOutput transact_get_items(Dynamodb& dynamodb, Tx& tx, const Request<TransactGetItemsInput>& request) {
  TransactGetItemsOutput output;
  output.responses.ensure();
  if (request.input.transact_items.get().size() > kMostTransactionItems)
    throw validation("Member must have length less than or equal to 100");
  for (const TransactGetItem& one : request.input.transact_items.get()) {
    const Get& get = one.get.get();
    auto item = get_one(dynamodb, tx, request.scope, get.table_name.get(), get.key.get(), get.projection_expression,
                        get.expression_attribute_names.get());
    ItemResponse& response = output.responses->emplace_back();
    if (item) response.item = std::move(*item);
  }
  return output;
}

TransactWriteItemsOutput transact_write_items(Dynamodb& dynamodb, Tx& tx,
                                              const Request<TransactWriteItemsInput>& request) {
  const std::vector<TransactWriteItem>& items = request.input.transact_items.get();
  if (items.size() > kMostTransactionItems) throw validation("Member must have length less than or equal to 100");
  if (was_done(dynamodb, tx, request.scope, request.input, request.now)) return {};
  std::vector<std::string> codes, reasons;
  std::set<std::string> seen;
  bool failed = false;
  for (const TransactWriteItem& item : items) {
    Write write = write_of(item);
    Item normal = write.item;
    normalize(normal);
    if (!seen.insert(item_key(get_table(dynamodb, request.scope, write.table), normal, write.kind != Write::Kind::put))
             .second)
      throw validation("Transaction request cannot include multiple operations on one item");
    std::string code = "None", reason = R"({"Code":"None"})";
    try {
      carry_out(dynamodb, tx, request.scope, std::move(write));
    } catch (const AwsError& error) {
      if (error.code != "ConditionalCheckFailedException" && error.code != "ValidationException") throw;
      failed = true;
      code = error.code == "ValidationException" ? "ValidationError" : "ConditionalCheckFailed";
      reason = R"({"Code":")" + code + R"(","Message":")" + error.message + "\"";
      for (const auto& [name, value] : error.members) reason += ",\"" + name + "\":" + value;
      reason += "}";
    }
    codes.push_back(code);
    reasons.push_back(reason);
  }
  if (failed) throw canceled(codes, reasons);
  return {};
}

}  // namespace brume::dynamodb

// Amazon DynamoDB: tables with their indexes, items on disk, expressions, transactions, time to live. Control thread;
// queries and scans run on workers over a snapshot.
#pragma once

#include <string>
#include <vector>

#include "aws/request.h"
#include "core/random.h"
#include "core/runtime.h"
#include "services/dynamodb/expiry.h"
#include "services/dynamodb/value.h"
#include "store/keyspace.h"
#include "store/table.h"

namespace brume::dynamodb {

struct IndexRecord {
  std::string name, hash, range;   // range: empty when there is none
  std::string projection = "ALL";  // KEYS_ONLY, INCLUDE
  std::vector<std::string> non_key_attributes;
  bool global = true;
  std::string status = "ACTIVE";  // of a global one: CREATING while it is filled
  std::int64_t read_units = 0, write_units = 0;
};
BOOST_DESCRIBE_STRUCT(IndexRecord, (),
                      (name, hash, range, projection, non_key_attributes, global, status, read_units, write_units))

struct TableRecord {
  std::string name, id;
  std::string hash, range;
  std::map<std::string, std::string> attribute_types;  // name → S, N, B
  std::string billing_mode = "PROVISIONED", table_class = "STANDARD";
  std::int64_t read_units = 0, write_units = 0;
  std::vector<IndexRecord> indexes;
  std::string status = "ACTIVE";
  std::string ttl_attribute;  // empty: disabled
  bool deletion_protection = false;
  std::int64_t items = 0, bytes = 0;  // until a CountRecord says otherwise
  Time created_at, on_demand_since;
  Tags tags;
};
BOOST_DESCRIBE_STRUCT(TableRecord, (),
                      (name, id, hash, range, attribute_types, billing_mode, table_class, read_units, write_units,
                       indexes, status, ttl_attribute, deletion_protection, items, bytes, created_at, on_demand_since,
                       tags))

// By table id. Beside the table's record, which is ten times as long and would be written with every item.
struct CountRecord {
  std::int64_t items = 0, bytes = 0;
};
BOOST_DESCRIBE_STRUCT(CountRecord, (), (items, bytes))

struct TransactionRecord {  // by client token: the same request again within ten minutes does nothing
  std::string fingerprint;
  Time at;
};
BOOST_DESCRIBE_STRUCT(TransactionRecord, (), (fingerprint, at))

struct DynamodbNeeds {
  Store& store;
  Clock& clock;
  Random& random;
  Control& control;
  Workers& workers;
};

struct Dynamodb {
  explicit Dynamodb(const DynamodbNeeds& needs);
  Dynamodb(const Dynamodb&) = delete;
  Dynamodb& operator=(const Dynamodb&) = delete;

  // Goes on filling indexes that were being made; items past their time to live go from now on.
  void start();

  DynamodbNeeds needs;
  Table<TableRecord> tables;
  Table<CountRecord> counts;
  Table<TransactionRecord> transactions;
  Keyspace items;    // table id, hash, range → ItemRecord
  Keyspace entries;  // table id, index name, hash, range, item's key → the item's key
  Expiry expiry;
};

std::string table_arn(const Scope& scope, const std::string& name);
// The table of a name or ARN; throws ResourceNotFoundException.
const TableRecord& get_table(const Dynamodb& dynamodb, const Scope& scope, const std::string& name_or_arn);
CountRecord count_of(const Dynamodb& dynamodb, const Scope& scope, const TableRecord& table);
const IndexRecord* find_index(const TableRecord& table, const std::string& name);

}  // namespace brume::dynamodb

// A resident table of typed records keyed by (account, region, id); the store is the log of its committed changes.
// Records are plain structs described with BOOST_DESCRIBE_STRUCT, stored as CBOR maps by member name: an absent member
// is the default, an unknown one is skipped (records of a newer version are refused before that). Control thread only.
// References stay valid until the record is changed or erased.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/scope.h"
#include "store/record.h"
#include "store/tx.h"

namespace brume {

// What a table knows about its type: a name that never changes ("ec2.vpc") and the version of its format.
struct TableType {
  std::string_view name;
  int version = 1;
};

template <class Record>
class Table {
 public:
  // Loads every record of the type. Throws StoreError for a newer version.
  Table(Store& store, TableType type);
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  const Record* find(const Scope& scope, std::string_view id) const;
  // Throws nothing: the id must be new (checked).
  const Record& insert(Tx& tx, const Scope& scope, std::string_view id, Record record);
  // Replaces or inserts.
  const Record& put(Tx& tx, const Scope& scope, std::string_view id, Record record);
  // Copies the record, lets `change(Record&)` edit the copy, and puts it. The record must exist (checked).
  template <class Change>
  const Record& modify(Tx& tx, const Scope& scope, std::string_view id, Change&& change);
  bool erase(Tx& tx, const Scope& scope, std::string_view id);

  // In the order of ids. `visit(const Record&)`; the table must not change meanwhile.
  template <class Visit>
  void for_each(const Scope& scope, Visit&& visit) const;
  // Over all accounts and regions: `visit(const Scope&, std::string_view id, const Record&)`.
  template <class Visit>
  void for_all(Visit&& visit) const;
  // Pointers to the scope's records for which `matches(const Record&)`, in the order of ids.
  template <class Matches>
  std::vector<const Record*> select(const Scope& scope, Matches&& matches) const;
  std::size_t size() const;

 private:
  struct Key {
    Scope scope;
    std::string id;
    auto operator<=>(const Key&) const = default;
  };
  std::string store_key(const Scope& scope, std::string_view id) const;
  TableType type_;
  std::map<Key, Record> records_;
};

}  // namespace brume

#include "store/table_impl.h"

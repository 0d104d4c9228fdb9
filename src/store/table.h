// A resident table of typed records keyed by (account, region, id); the store is the log of its committed changes.
// Records are plain structs described with BOOST_DESCRIBE_STRUCT, stored as CBOR maps by member name: an absent member
// is the default, an unknown one is skipped (records of a newer version are refused before that). Control thread only.
// References stay valid until the record is changed or erased.
#pragma once

#include <functional>
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
class TableIndex;

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
  // The same from the id `from` on, until `visit` returns false: pages and prefixes begin where they are.
  template <class Visit>
  void visit_from(const Scope& scope, std::string_view from, Visit&& visit) const;
  // Over all accounts and regions: `visit(const Scope&, std::string_view id, const Record&)`.
  template <class Visit>
  void for_all(Visit&& visit) const;
  // Pointers to the scope's records for which `matches(const Record&)`, in the order of ids.
  template <class Matches>
  std::vector<const Record*> select(const Scope& scope, Matches&& matches) const;
  // `changed` is called before a record changes or goes and after it has changed or come, rollbacks among them: for
  // whoever keeps something made of the records.
  using Observer = std::function<void(const Scope& scope, std::string_view id)>;
  void observe(Observer changed) { observers_.push_back(std::move(changed)); }
  std::size_t size() const;
  std::size_t count(const Scope& scope) const;  // of one scope, without looking at them

 private:
  friend TableIndex<Record>;
  struct Key {
    Scope scope;
    std::string id;
  };
  struct KeyView {
    const Scope& scope;
    std::string_view id;
  };
  struct Order {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      const auto order = a.scope <=> b.scope;
      return order != 0 ? order < 0 : std::string_view(a.id) < std::string_view(b.id);
    }
  };
  std::string store_key(const Scope& scope, std::string_view id) const;
  Record& add(Key key, Record record);
  void remove(const Key& key);
  void entered(const Key& key, const Record& record);
  void leaving(const Key& key, const Record& record);

  TableType type_;
  std::map<Key, Record, Order> records_;
  std::map<Scope, std::size_t> counts_;
  std::vector<TableIndex<Record>*> indexes_;
  std::vector<Observer> observers_;
};

// Another order of a table's records: by texts made of each (its name, its VPC), kept true by every change of the
// table. A member beside its table and declared after it.
template <class Record>
class TableIndex {
 public:
  using TextsOf = std::function<std::vector<std::string>(const Record&)>;
  TableIndex(Table<Record>& table, TextsOf texts_of);
  TableIndex(const TableIndex&) = delete;
  TableIndex& operator=(const TableIndex&) = delete;

  // The scope's records with exactly this text, in the order of ids.
  std::vector<const Record*> find(const Scope& scope, std::string_view text) const;
  const Record* find_first(const Scope& scope, std::string_view text) const;

 private:
  friend Table<Record>;
  struct Entry {
    Scope scope;
    std::string text, id;
  };
  struct EntryView {
    const Scope& scope;
    std::string_view text, id;
  };
  struct Order {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      if (const auto order = a.scope <=> b.scope; order != 0) return order < 0;
      if (const int order = std::string_view(a.text).compare(b.text); order != 0) return order < 0;
      return std::string_view(a.id) < std::string_view(b.id);
    }
  };
  void add(const Scope& scope, std::string_view id, const Record& record);
  void remove(const Scope& scope, std::string_view id, const Record& record);

  TextsOf texts_of_;
  std::map<Entry, const Record*, Order> entries_;
};

}  // namespace brume

#include "store/table_impl.h"

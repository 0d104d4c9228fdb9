// Time to live: items go when it is over, as the cloud's clock gets there. Nothing is looked at until an item can have
// expired. Control thread; tables are read on workers.
#pragma once

#include <optional>
#include <string>

#include "core/runtime.h"
#include "core/scope.h"
#include "services/dynamodb/value.h"

namespace brume::dynamodb {

struct Dynamodb;
struct TableRecord;

// When an item's time to live ends. "TTL … ignores items with a timestamp more than 5 years in the past".
std::optional<Time> expiry_of(const Item& item, const std::string& attribute, Time now);

class Expiry {
 public:
  explicit Expiry(Dynamodb& dynamodb) : dynamodb_(dynamodb) {}
  Expiry(const Expiry&) = delete;
  Expiry& operator=(const Expiry&) = delete;

  // An item was written, or time to live was switched on (without an item).
  void note(const TableRecord& table, const std::optional<Item>& item);
  // Looks at every table that has time to live.
  void sweep();

 private:
  struct Reading;
  void sweep_by(Time when);
  void read(const Scope& scope, const TableRecord& table, Time now);
  void erase(const Reading& reading);

  Dynamodb& dynamodb_;
  std::optional<Time> due_;  // of the timer
  Control::TimerId timer_ = 0;
  Time last_sweep_{};
};

}  // namespace brume::dynamodb

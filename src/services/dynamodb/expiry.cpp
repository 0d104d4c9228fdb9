#include "services/dynamodb/expiry.h"

#include <algorithm>
#include <memory>

#include "core/text.h"
#include "services/dynamodb/dynamodb.h"
#include "services/dynamodb/item_store.h"

namespace brume::dynamodb {
namespace {

// AWS removes expired items within a few days; here within a minute of cloud time, so that many that expire one after
// the other cost one reading.
constexpr Duration kSweepPause = minutes(1);
constexpr std::size_t kErasedAtOnce = 1000;
constexpr Duration kIgnoredAge = days(5 * 365);

}  // namespace

// What a worker finds in one table.
struct Expiry::Reading {
  Scope scope;
  std::string table, attribute, prefix;
  Time now;
  std::vector<std::string> expired;
  std::optional<Time> next;  // the first of those that have not
};

std::optional<Time> expiry_of(const Item& item, const std::string& attribute, Time now) {
  const auto found = item.find(attribute);
  std::int64_t at = 0;
  if (found == item.end() || !found->second.n || !parse_int(*found->second.n, at)) return std::nullopt;
  constexpr std::int64_t kLast = INT64_MAX / 1000;
  if (at <= (now - kIgnoredAge).seconds() || at >= kLast) return std::nullopt;
  return Time{at * 1000};
}

void Expiry::note(const TableRecord& table, const std::optional<Item>& item) {
  if (table.ttl_attribute.empty()) return;
  const Time now = dynamodb_.needs.clock.now();
  if (!item) return sweep_by(now);
  if (const auto at = expiry_of(*item, table.ttl_attribute, now)) sweep_by(*at);
}

void Expiry::sweep_by(Time when) {
  when = std::max(when, last_sweep_ + kSweepPause);
  if (due_ && *due_ <= when) return;
  if (due_) dynamodb_.needs.control.cancel(timer_);
  due_ = when;
  timer_ = dynamodb_.needs.control.at(when, [this] {
    due_.reset();
    sweep();
  });
}

void Expiry::sweep() {
  const Time now = dynamodb_.needs.clock.now();
  last_sweep_ = now;
  dynamodb_.tables.for_all([&](const Scope& scope, std::string_view, const TableRecord& table) {
    if (!table.ttl_attribute.empty()) read(scope, table, now);
  });
}

void Expiry::read(const Scope& scope, const TableRecord& table, Time now) {
  auto reading = std::make_shared<Reading>(Reading{
      scope, table.name, table.ttl_attribute, whole_prefix(table, nullptr), now, {}, {}});  // shared with the worker
  auto snapshot = dynamodb_.items.snapshot();
  dynamodb_.needs.workers.run(
      [this, reading, snapshot] {
        dynamodb_.items.scan_prefix(*snapshot, reading->prefix, [&](std::string_view key, std::string_view value) {
          const auto at = expiry_of(decode_item(value), reading->attribute, reading->now);
          if (at && *at <= reading->now)
            reading->expired.emplace_back(key);
          else if (at)
            reading->next = std::min(reading->next.value_or(*at), *at);
          return reading->expired.size() < kErasedAtOnce;
        });
        if (reading->expired.size() == kErasedAtOnce) reading->next = reading->now;
      },
      [this, reading] {
        if (reading->next) sweep_by(*reading->next);
        if (!reading->expired.empty()) erase(*reading);
      });
}

void Expiry::erase(const Reading& reading) {
  const TableRecord* table = dynamodb_.tables.find(reading.scope, reading.table);
  if (table == nullptr || table->ttl_attribute != reading.attribute) return;
  const Time now = dynamodb_.needs.clock.now();
  Tx tx(dynamodb_.needs.store);
  for (const std::string& key : reading.expired) {
    const auto item = read_item(dynamodb_, tx, key);
    // It may have been written since: looked at again.
    const auto at = item ? expiry_of(*item, reading.attribute, now) : std::nullopt;
    if (at && *at <= now) write_item(dynamodb_, tx, reading.scope, reading.table, key, item, std::nullopt);
  }
  tx.commit();
}

}  // namespace brume::dynamodb

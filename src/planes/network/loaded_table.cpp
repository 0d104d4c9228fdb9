#include "planes/network/loaded_table.h"

#include <vector>

#include "core/error.h"
#include "core/fault.h"

namespace brume::network {

std::size_t LoadedTable::load(const NftTable& table) {
  std::vector<std::string> statements;
  if (loaded_) {
    statements = difference(*loaded_, table);
  } else if (try_run(std::string("list chain ") + kTableName + " " + revision(table))) {
    loaded_ = table;
  } else {
    statements = replacement(table, counters());
  }
  if (statements.empty()) return 0;
  loaded_.reset();
  for (const std::string& line : transactions(statements, limit_bytes_)) nft_.run(line);
  fault_point("network.nft.done");
  loaded_ = table;
  return statements.size();
}

NftCounters LoadedTable::counters() {
  const std::optional<std::string> listing = try_run(std::string("list counters table ") + kTableName);
  return listing ? parse_counters(*listing) : NftCounters{};
}

FlowListing LoadedTable::flows(const std::vector<std::string>& sets) {
  FlowListing flows;
  for (const std::string& name : sets) {
    if (loaded_ && !loaded_->sets.contains(name)) continue;
    // One by one: for a line of several, nft 1.0.6 reads the last set only and does not find the others.
    const std::optional<std::string> listing = try_run(std::string("list set ") + kTableName + " " + name);
    if (listing) flows.merge(parse_flows(*listing));
  }
  return flows;
}

std::optional<std::string> LoadedTable::try_run(const std::string& line) {
  try {
    return nft_.run(line);
  } catch (const PlaneError& error) {
    if (error.kind != PlaneError::Kind::permanent) throw;
    return std::nullopt;
  }
}

}  // namespace brume::network

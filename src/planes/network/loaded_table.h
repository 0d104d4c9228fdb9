// The nftables table of one namespace: what is loaded in the kernel, and how it becomes what is wanted. Kernel thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "planes/network/flow_listing.h"
#include "planes/network/nft_process.h"
#include "planes/network/nft_table.h"

namespace brume::network {

class LoadedTable {
 public:
  // `limit_bytes`: of one transaction; 0: none.
  LoadedTable(const Namespaces& namespaces, const std::string& name, std::size_t limit_bytes)
      : nft_(namespaces, name), limit_bytes_(limit_bytes) {}

  // Makes it so and says how many statements that took: none when the kernel has this very table, loaded by this daemon
  // or an earlier one. A table that is not known is replaced in one transaction, its counts and all connections kept.
  std::size_t load(const NftTable& table);
  NftCounters counters();
  // The elements of those sets that the table has.
  FlowListing flows(const std::vector<std::string>& sets);
  pid_t process() const { return nft_.pid(); }

 private:
  std::optional<std::string> try_run(const std::string& line);  // none when nft refuses it

  NftProcess nft_;
  const std::size_t limit_bytes_;
  std::optional<NftTable> loaded_;  // none: not known
};

}  // namespace brume::network

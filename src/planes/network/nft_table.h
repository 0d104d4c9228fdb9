// An nftables table as a value: what the renderers produce, what golden tests read, and what two of are compared to get
// the statements that turn one into the other. Pure; knows nothing of VPCs.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace brume::network {

struct NftSet {
  std::string type;  // "ipv4_addr", "ifname . ipv4_addr"
  bool interval = false;
  bool dynamic = false;  // its elements are the kernel's: packets add them, time takes them away
  std::set<std::string> elements;
  bool operator==(const NftSet&) const = default;
};

struct NftMap {
  std::string type;  // "ifname : verdict"
  std::map<std::string, std::string> elements;
  bool operator==(const NftMap&) const = default;
};

struct NftChain {
  std::string hook;  // "type filter hook forward priority -20 ; policy drop ;"; empty for a chain that is jumped to
  std::vector<std::string> rules;
  bool operator==(const NftChain&) const = default;
};

// Names are nft identifiers: a letter, then letters, digits, '_', '-', '.'; never a word of nft's grammar.
struct NftTable {
  std::set<std::string> counters;
  std::map<std::string, NftSet> sets;
  std::map<std::string, NftMap> maps;
  std::map<std::string, NftChain> chains;
  bool operator==(const NftTable&) const = default;
};

using NftCounters = std::map<std::string, std::pair<std::uint64_t, std::uint64_t>>;  // name: packets, bytes

// Every table is "inet brume" of its namespace.
inline constexpr const char* kTableName = "inet brume";

// "revision.0123456789abcdef": an empty chain whose name is the digest of the rest of the table. It is changed in the
// same transaction, so a later daemon can tell from the kernel alone which table is loaded there.
std::string revision(const NftTable& table);

// The statements that make the kernel's `from` into `to`, in an order in which each is valid after those before it.
// Empty when they are equal. Rules are replaced by chain; named counters keep their counts.
std::vector<std::string> difference(const NftTable& from, const NftTable& to);
// The statements that replace whatever table is there, keeping the counts of the counters that go on.
std::vector<std::string> replacement(const NftTable& to, const NftCounters& counts);

// Joins statements into transactions, one per line. `limit_bytes` of a line is kept as far as single statements allow;
// 0: one transaction. More than one is needed only where the kernel limits a netlink message (rootless).
std::vector<std::string> transactions(const std::vector<std::string>& statements, std::size_t limit_bytes);

// As `nft list table` would show it, for people and golden files. The revision is left out.
std::string to_text(const NftTable& table);

// Reads the answer of `list counters table inet brume`.
NftCounters parse_counters(const std::string& listing);

}  // namespace brume::network

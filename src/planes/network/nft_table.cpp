#include "planes/network/nft_table.h"

#include <algorithm>
#include <sstream>

#include "core/text.h"

namespace brume::network {
namespace {

constexpr std::string_view kRevisionPrefix = "revision.";
// A statement of many elements would defeat the limit of a transaction.
constexpr std::size_t kElementsPerStatement = 100;

std::string verb(std::string_view action, std::string_view kind, const std::string& name) {
  std::string statement(action);
  statement += ' ';
  statement += kind;
  statement += ' ';
  statement += kTableName;
  statement += ' ';
  statement += name;
  return statement;
}

void elements(std::vector<std::string>& out, std::string_view action, const std::string& name,
              const std::vector<std::string>& texts) {
  for (std::size_t start = 0; start < texts.size(); start += kElementsPerStatement) {
    const std::size_t end = std::min(texts.size(), start + kElementsPerStatement);
    const std::vector<std::string> part(texts.begin() + static_cast<std::ptrdiff_t>(start),
                                        texts.begin() + static_cast<std::ptrdiff_t>(end));
    out.push_back(verb(action, "element", name) + " { " + join(part, ", ") + " }");
  }
}

template <class Named>
const Named* find(const std::map<std::string, Named>& all, const std::string& name) {
  const auto found = all.find(name);
  return found == all.end() ? nullptr : &found->second;
}

// Of a set that packets fill: more elements are not taken, and each lives on for so long after its last packet.
constexpr std::string_view kDynamic = " ; flags dynamic,timeout ; timeout 3m ; size 65535";

std::string set_definition(const NftSet& set) {
  std::string text = "type " + set.type;
  if (set.interval) text += " ; flags interval";
  if (set.dynamic) text += kDynamic;
  return text;
}

// A kept set of another type cannot be altered in place; only a new version of this program would ask for it.
bool same_shape(const NftTable& from, const NftTable& to) {
  for (const auto& [name, set] : to.sets)
    if (const NftSet* old = find(from.sets, name); old && set_definition(*old) != set_definition(set)) return false;
  for (const auto& [name, map] : to.maps)
    if (const NftMap* old = find(from.maps, name); old && old->type != map.type) return false;
  for (const auto& [name, chain] : to.chains)
    if (const NftChain* old = find(from.chains, name); old && old->hook != chain.hook) return false;
  return true;
}

void add_definitions(std::vector<std::string>& out, const NftTable& from, const NftTable& to,
                     const NftCounters& counts) {
  for (const std::string& name : to.counters) {
    if (from.counters.contains(name)) continue;
    const auto count = counts.find(name);
    std::string statement = verb("add", "counter", name);
    if (count != counts.end())
      statement += " { packets " + std::to_string(count->second.first) + " bytes " +
                   std::to_string(count->second.second) + " ; }";
    out.push_back(statement);
  }
  for (const auto& [name, set] : to.sets)
    if (!from.sets.contains(name)) out.push_back(verb("add", "set", name) + " { " + set_definition(set) + " ; }");
  for (const auto& [name, map] : to.maps)
    if (!from.maps.contains(name)) out.push_back(verb("add", "map", name) + " { type " + map.type + " ; }");
  for (const auto& [name, chain] : to.chains)
    if (!from.chains.contains(name))
      out.push_back(verb("add", "chain", name) + (chain.hook.empty() ? "" : " { " + chain.hook + " }"));
}

void change_rules(std::vector<std::string>& out, const NftTable& from, const NftTable& to) {
  for (const auto& [name, chain] : to.chains) {
    const NftChain* old = find(from.chains, name);
    std::size_t kept = 0;
    if (old && old->rules.size() <= chain.rules.size() &&
        std::equal(old->rules.begin(), old->rules.end(), chain.rules.begin())) {
      kept = old->rules.size();  // Only appended to.
    } else if (old && !old->rules.empty()) {
      out.push_back(verb("flush", "chain", name));
    }
    for (std::size_t i = kept; i < chain.rules.size(); ++i)
      out.push_back(verb("add", "rule", name) + " " + chain.rules[i]);
  }
}

void change_elements(std::vector<std::string>& out, const NftTable& from, const NftTable& to) {
  for (const auto& [name, set] : to.sets) {
    const NftSet* old = find(from.sets, name);
    const std::set<std::string> before = old ? old->elements : std::set<std::string>{};
    std::vector<std::string> gone, added;
    std::ranges::set_difference(before, set.elements, std::back_inserter(gone));
    std::ranges::set_difference(set.elements, before, std::back_inserter(added));
    elements(out, "delete", name, gone);
    elements(out, "add", name, added);
  }
  for (const auto& [name, map] : to.maps) {
    const NftMap* old = find(from.maps, name);
    std::vector<std::string> gone, added;
    if (old)
      for (const auto& [key, value] : old->elements) {
        const std::string* kept = find(map.elements, key);
        if (!kept || *kept != value) gone.push_back(key);
      }
    for (const auto& [key, value] : map.elements) {
      const std::string* before = old ? find(old->elements, key) : nullptr;
      if (!before || *before != value) added.push_back(key + " : " + value);
    }
    elements(out, "delete", name, gone);
    elements(out, "add", name, added);
  }
}

// What goes is emptied first: chains jump to each other, and maps hold jumps to chains.
void remove_definitions(std::vector<std::string>& out, const NftTable& from, const NftTable& to) {
  for (const auto& [name, chain] : from.chains)
    if (!to.chains.contains(name) && !chain.rules.empty()) out.push_back(verb("flush", "chain", name));
  for (const auto& [name, map] : from.maps)
    if (!to.maps.contains(name)) out.push_back(verb("delete", "map", name));
  for (const auto& [name, chain] : from.chains)
    if (!to.chains.contains(name)) out.push_back(verb("delete", "chain", name));
  for (const auto& [name, set] : from.sets)
    if (!to.sets.contains(name)) out.push_back(verb("delete", "set", name));
  for (const std::string& name : from.counters)
    if (!to.counters.contains(name)) out.push_back(verb("delete", "counter", name));
}

std::vector<std::string> statements_between(const NftTable& from, const NftTable& to, const NftCounters& counts) {
  std::vector<std::string> out;
  add_definitions(out, from, to, counts);
  change_rules(out, from, to);
  change_elements(out, from, to);
  remove_definitions(out, from, to);
  return out;
}

}  // namespace

std::string revision(const NftTable& table) {
  return std::string(kRevisionPrefix) + to_hex(sha256(to_text(table))).substr(0, 16);
}

std::vector<std::string> difference(const NftTable& from, const NftTable& to) {
  if (from == to) return {};
  if (!same_shape(from, to)) return replacement(to, {});
  return statements_between(from, to, {});
}

std::vector<std::string> replacement(const NftTable& to, const NftCounters& counts) {
  // "add" first, since deleting a table that is absent would fail the transaction.
  std::vector<std::string> out = {std::string("add table ") + kTableName, std::string("delete table ") + kTableName,
                                  std::string("add table ") + kTableName};
  for (std::string& statement : statements_between({}, to, counts)) out.push_back(std::move(statement));
  return out;
}

std::vector<std::string> transactions(const std::vector<std::string>& statements, std::size_t limit_bytes) {
  std::vector<std::string> lines;
  for (const std::string& statement : statements) {
    if (lines.empty() || (limit_bytes != 0 && lines.back().size() + statement.size() + 2 > limit_bytes))
      lines.push_back(statement);
    else
      lines.back() += "; " + statement;
  }
  return lines;
}

std::string to_text(const NftTable& table) {
  std::string text = "table " + std::string(kTableName) + " {\n";
  for (const std::string& name : table.counters) text += "  counter " + name + "\n";
  for (const auto& [name, set] : table.sets) {
    text += "  set " + name + " { type " + set.type + (set.interval ? "; flags interval" : "") +
            (set.dynamic ? "; dynamic" : "") + " }\n";
    for (const std::string& element : set.elements) text += "    " + element + "\n";
  }
  for (const auto& [name, map] : table.maps) {
    text += "  map " + name + " { type " + map.type + " }\n";
    for (const auto& [key, value] : map.elements) text += "    " + key + " : " + value + "\n";
  }
  for (const auto& [name, chain] : table.chains) {
    if (name.starts_with(kRevisionPrefix)) continue;
    text += "  chain " + name + (chain.hook.empty() ? "" : " { " + chain.hook + " }") + "\n";
    for (const std::string& rule : chain.rules) text += "    " + rule + "\n";
  }
  return text + "}\n";
}

NftCounters parse_counters(const std::string& listing) {
  NftCounters counters;
  std::istringstream words(listing);
  std::string word, name;
  while (words >> word) {
    if (word == "counter") words >> name;
    if (word != "packets" || name.empty()) continue;
    std::uint64_t packets = 0, bytes = 0;
    if (words >> packets >> word >> bytes) counters[name] = {packets, bytes};
    name.clear();
  }
  return counters;
}

}  // namespace brume::network

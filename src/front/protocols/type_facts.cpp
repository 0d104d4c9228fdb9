#include "front/protocols/type_facts.h"

#include <set>

#include "core/text.h"

namespace brume::model {
// Generated from models/: "service:Shape" of every integer of 32 bits, a line each.
std::string_view narrow_integers();
}  // namespace brume::model

namespace brume::protocols {

const TypeFacts& generated_facts(const model::Service& service, const model::Type& type) {
  static const std::set<std::string, std::less<>> narrow = [] {
    std::set<std::string, std::less<>> names;
    for (const std::string_view line : split(model::narrow_integers(), '\n')) names.emplace(line);
    return names;
  }();
  static const TypeFacts wide, thirty_two{.bits = 32};
  if (type.kind != model::Kind::integer) return wide;
  const std::string name = std::string(service.id) + ":" + std::string(type.name);
  return narrow.contains(name) ? thirty_two : wide;
}

}  // namespace brume::protocols

#include <array>

#include "core/text.h"
#include "planes/names/resolver.h"

namespace brume::names {
namespace {

bool is_below(std::string_view name, std::string_view domain) {
  return name == domain ||
         (name.size() > domain.size() && name.ends_with(domain) && name[name.size() - domain.size() - 1] == '.');
}

bool is_number_within(std::string_view label, std::int64_t lowest, std::int64_t highest) {
  std::int64_t number = 0;
  return parse_int(label, number) && number >= lowest && number <= highest;
}

}  // namespace

bool is_local_only_name(std::string_view name) {
  static constexpr std::array<std::string_view, 18> kDomains = {"localhost",
                                                                "local",
                                                                "internal",
                                                                "invalid",
                                                                "test",
                                                                "onion",
                                                                "home.arpa",
                                                                "10.in-addr.arpa",
                                                                "127.in-addr.arpa",
                                                                "0.in-addr.arpa",
                                                                "254.169.in-addr.arpa",
                                                                "168.192.in-addr.arpa",
                                                                "18.198.in-addr.arpa",
                                                                "19.198.in-addr.arpa",
                                                                "255.255.255.255.in-addr.arpa",
                                                                "d.f.ip6.arpa",
                                                                "8.e.f.ip6.arpa",
                                                                "8.b.d.0.1.0.0.2.ip6.arpa"};
  for (std::string_view domain : kDomains)
    if (is_below(name, domain)) return true;
  // 172.16.0.0/12 and 100.64.0.0/10: the second octet is the label before the first's.
  for (const auto& [domain, lowest, highest] :
       {std::tuple{std::string_view("172.in-addr.arpa"), 16, 31}, {std::string_view("100.in-addr.arpa"), 64, 127}}) {
    if (!is_below(name, domain) || name == domain) continue;
    std::string_view rest = name.substr(0, name.size() - domain.size() - 1);
    if (const std::size_t dot = rest.rfind('.'); dot != std::string_view::npos) rest = rest.substr(dot + 1);
    if (is_number_within(rest, lowest, highest)) return true;
  }
  return false;
}

}  // namespace brume::names

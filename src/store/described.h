// What a record's members can be, as the compiler sees it: described structs with their members, and which template a
// type is made of; and whether two values are the same, member by member. For store/record.h; any thread.
#pragma once

#include <boost/describe/members.hpp>
#include <boost/mp11/algorithm.hpp>
#include <cstddef>
#include <map>
#include <optional>
#include <type_traits>
#include <vector>

#include "core/opt.h"

namespace brume::record_detail {

template <class T>
concept Described = boost::describe::has_describe_members<T>::value && !std::is_union_v<T>;

template <class T>
using Members = boost::describe::describe_members<T, boost::describe::mod_any_access | boost::describe::mod_inherited>;

template <class T, template <class...> class Template>
inline constexpr bool is_a = false;
template <class... Arguments, template <class...> class Template>
inline constexpr bool is_a<Template<Arguments...>, Template> = true;

template <class T>
inline constexpr bool is_optional = is_a<T, opt> || is_a<T, std::optional> || is_a<T, box>;

template <class T>
bool same(const T& a, const T& b) {
  if constexpr (Described<T>) {
    bool equal = true;
    boost::mp11::mp_for_each<Members<T>>(
        [&](auto member) { equal = equal && same(a.*member.pointer, b.*member.pointer); });
    return equal;
  } else if constexpr (is_optional<T>) {
    if (a.has_value() != b.has_value()) return false;
    return !a.has_value() || same(*a, *b);
  } else if constexpr (is_a<T, std::vector>) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (!same(a[i], b[i])) return false;
    }
    return true;
  } else if constexpr (is_a<T, std::map>) {
    if (a.size() != b.size()) return false;
    for (auto x = a.begin(), y = b.begin(); x != a.end(); ++x, ++y) {
      if (x->first != y->first || !same(x->second, y->second)) return false;
    }
    return true;
  } else {
    return a == b;
  }
}

}  // namespace brume::record_detail

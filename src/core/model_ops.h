// The type-erased operations of generated structs, containers and values. Included by generated tables only.
#pragma once

#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/model.h"
#include "core/opt.h"

namespace brume::model {

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsMap : std::false_type {};
template <class T>
struct IsMap<std::map<std::string, T>> : std::true_type {};

template <class T>
constexpr TypeOps make_type_ops() {
  TypeOps ops{};
  ops.create = [](const Type&) -> void* { return new T(); };
  ops.destroy = [](const Type&, void* value) { delete static_cast<T*>(value); };
  if constexpr (IsVector<T>::value) {
    ops.size = [](const void* list) { return static_cast<const T*>(list)->size(); };
    ops.at = [](const void* list, std::size_t index) -> const void* { return &(*static_cast<const T*>(list))[index]; };
    ops.append = [](const Type&, void* list) -> void* { return &static_cast<T*>(list)->emplace_back(); };
  } else if constexpr (IsMap<T>::value) {
    ops.size = [](const void* map) { return static_cast<const T*>(map)->size(); };
    ops.insert = [](const Type&, void* map, std::string key) -> void* {
      auto& value = (*static_cast<T*>(map))[std::move(key)];
      value = {};
      return &value;
    };
    ops.each = [](const void* map, void* context, TypeOps::Visit visit) {
      for (const auto& [key, value] : *static_cast<const T*>(map)) visit(context, key, &value);
    };
  }
  return ops;
}
template <class T>
inline constexpr TypeOps kTypeOps = make_type_ops<T>();

template <class T>
inline constexpr SlotOps kOptSlot = {
    [](const void* slot) -> const void* {
      const auto& value = *static_cast<const opt<T>*>(slot);
      return value.has_value() ? &*value : nullptr;
    },
    [](const Member&, void* slot) -> void* { return &static_cast<opt<T>*>(slot)->emplace(); }};

template <class T>
inline constexpr SlotOps kBoxSlot = {
    [](const void* slot) -> const void* {
      const auto& value = *static_cast<const box<T>*>(slot);
      return value.has_value() ? &*value : nullptr;
    },
    [](const Member&, void* slot) -> void* { return &static_cast<box<T>*>(slot)->emplace(); }};

}  // namespace brume::model

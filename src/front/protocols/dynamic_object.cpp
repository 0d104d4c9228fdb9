#include "front/protocols/dynamic_object.h"

#include <map>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/file_body.h"
#include "core/model_ops.h"
#include "core/time.h"

namespace brume::protocols {
namespace {

using model::Kind;
using model::Member;
using model::Type;
using model::TypeOps;

using List = std::vector<void*>;
using Map = std::map<std::string, void*>;

void* create(const Type& type) { return type.ops->create(type); }
void destroy(const Type& type, void* value) {
  if (value != nullptr) type.ops->destroy(type, value);
}

constexpr TypeOps kStructureOps = {
    .create = [](const Type& type) -> void* { return new void*[type.members.size() + 1](); },
    .destroy =
        [](const Type& type, void* object) {
          auto** slots = static_cast<void**>(object);
          for (std::size_t i = 0; i < type.members.size(); ++i) destroy(*type.members[i].type, slots[i]);
          delete[] slots;
        },
};

constexpr TypeOps kListOps = {
    .create = [](const Type&) -> void* { return new List(); },
    .destroy =
        [](const Type& type, void* list) {
          for (void* element : *static_cast<List*>(list)) destroy(*type.element.type, element);
          delete static_cast<List*>(list);
        },
    .size = [](const void* list) { return static_cast<const List*>(list)->size(); },
    .at = [](const void* list, std::size_t index) -> const void* { return (*static_cast<const List*>(list))[index]; },
    .append = [](const Type& type, void* list) -> void* {
      return static_cast<List*>(list)->emplace_back(create(*type.element.type));
    },
};

constexpr TypeOps kMapOps = {
    .create = [](const Type&) -> void* { return new Map(); },
    .destroy =
        [](const Type& type, void* map) {
          for (auto& [key, value] : *static_cast<Map*>(map)) destroy(*type.element.type, value);
          delete static_cast<Map*>(map);
        },
    .size = [](const void* map) { return static_cast<const Map*>(map)->size(); },
    .insert = [](const Type& type, void* map, std::string key) -> void* {
      void*& slot = (*static_cast<Map*>(map))[std::move(key)];
      destroy(*type.element.type, slot);
      return slot = create(*type.element.type);
    },
    .each =
        [](const void* map, void* context, TypeOps::Visit visit) {
          for (const auto& [key, value] : *static_cast<const Map*>(map)) visit(context, key, value);
        },
};

constexpr model::SlotOps kSlot = {
    .get = [](const void* slot) -> const void* { return *static_cast<void* const*>(slot); },
    .emplace = [](const Member& member, void* slot) -> void* {
      void*& value = *static_cast<void**>(slot);
      destroy(*member.type, value);
      return value = create(*member.type);
    },
};

}  // namespace

const TypeOps& dynamic_ops(Kind kind) {
  switch (kind) {
    case Kind::structure:
      return kStructureOps;
    case Kind::list:
      return kListOps;
    case Kind::map:
      return kMapOps;
    case Kind::string:
    case Kind::blob:
    case Kind::document:
      return model::kTypeOps<std::string>;
    case Kind::integer:
      return model::kTypeOps<std::int64_t>;
    case Kind::number:
      return model::kTypeOps<double>;
    case Kind::boolean:
      return model::kTypeOps<bool>;
    case Kind::timestamp:
      return model::kTypeOps<Time>;
    case Kind::stream:
      return model::kTypeOps<Body>;
  }
  BRUME_CHECK(false && "unknown kind");
}

const model::SlotOps& dynamic_slot() { return kSlot; }

}  // namespace brume::protocols

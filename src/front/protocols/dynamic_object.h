// The operations of dynamic objects: a structure is an array of pointers, one a member, null when absent; a list is a
// vector of pointers; a map is a map to pointers. Each value lives on the heap. For dynamic_model.cpp.
#pragma once

#include "core/model.h"

namespace brume::protocols {

// The operations of dynamic values of that kind.
const model::TypeOps& dynamic_ops(model::Kind kind);
const model::SlotOps& dynamic_slot();
inline constexpr std::size_t kDynamicSlotSize = sizeof(void*);

}  // namespace brume::protocols

// What a model says of its types beyond core/model.h's tables, which only the reading of requests asks: how wide an
// integer is, whether a list may hold nulls or repeat itself, what a payload's media type is. Immutable: any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/model.h"

namespace brume::protocols {

struct TypeFacts {
  std::uint8_t bits = 64;  // of an integer: 8, 16, 32 or 64
  bool sparse = false;     // a list or map that may hold nulls
  bool unique = false;     // no two elements of the list are equal
  std::string media_type;  // of a payload; empty: the model names none
};

class ModelFacts {
 public:
  virtual ~ModelFacts() = default;
  virtual const TypeFacts& of(const model::Type& type) const = 0;
};

// Of a service with generated tables: integers have 32 bits where AWS's model says integer and not long.
const TypeFacts& generated_facts(const model::Service& service, const model::Type& type);

}  // namespace brume::protocols

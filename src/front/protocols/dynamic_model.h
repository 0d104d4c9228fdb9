// A service built at run time from a model in the form of models/*.json (botocore's service-2.json is close enough),
// with dynamic objects in the place of generated structs. Tests feed other models to the codecs with it. Immutable once
// it is loaded: any thread.
#pragma once

#include <memory>
#include <string_view>

#include "core/model.h"
#include "front/protocols/type_facts.h"

namespace brume::protocols {

class DynamicModel {
 public:
  virtual ~DynamicModel() = default;
  // Valid as long as the model; so are values of its types.
  virtual const model::Service& service() const = 0;
  virtual const ModelFacts& facts() const = 0;
};

// Throws std::runtime_error for text that is not such a model. `id` becomes the service's id.
std::unique_ptr<DynamicModel> load_model(std::string_view json, std::string_view id);

}  // namespace brume::protocols

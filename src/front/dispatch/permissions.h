// What must be granted for a request: the operation's permission templates of models/served, filled from its input
// (codegen/README.md has their form). Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "aws/authorization.h"
#include "core/model.h"

namespace brume::front {

// Every one of them must be allowed. Empty only for operations that are not checked.
std::vector<Ask> asks_of(const model::Operation& operation, const void* input, const Scope& scope);

// The resources that one template means. A placeholder over a list makes one for each element.
std::vector<std::string> fill_template(std::string_view text, const model::Type& type, const void* input,
                                       const Scope& scope);

}  // namespace brume::front

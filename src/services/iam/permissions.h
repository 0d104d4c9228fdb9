// What roles and users do alike with their policies. Each works on a copy that the caller puts back. Control thread.
#pragma once

#include <string>
#include <string_view>

#include "services/iam/iam.h"

namespace brume::iam {

// Attaching twice is no error; a tenth policy is the last.
void attach(const Iam& iam, const RequestContext& request, Permissions& permissions, const std::string& arn,
            std::string_view quota);
void detach(Permissions& permissions, const std::string& arn);
// `owner` is how the quota's sentence names the role or user: "role NAME".
void put_inline(Permissions& permissions, const std::string& name, const std::string& document, std::size_t limit,
                const std::string& owner);
// `kind` is "role" or "user".
const std::string& get_inline(const Permissions& permissions, const std::string& name, std::string_view kind);
void delete_inline(Permissions& permissions, const std::string& name, std::string_view kind);
std::vector<std::string> inline_names(const Permissions& permissions);

// DeleteConflict unless nothing is attached and no inline policy is left.
void check_no_policies(const Permissions& permissions);

}  // namespace brume::iam

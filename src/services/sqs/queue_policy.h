// A queue's resource policy: what may be put, and the statements of AddPermission. Pure functions over documents.
#pragma once

#include <string>
#include <vector>

namespace brume::sqs {

// Throws InvalidAttributeValue.
void check_policy(const std::string& document);

struct NewPermission {
  std::string label;
  std::vector<std::string> accounts, actions;
};
// The document with one statement more. Throws InvalidParameterValue, MissingParameter, OverLimit.
std::string add_permission_to(const std::string& document, const std::string& queue_arn, const NewPermission& added);
// Without it; empty when none is left. Throws InvalidParameterValue.
std::string remove_permission_from(const std::string& document, const std::string& label);

}  // namespace brume::sqs

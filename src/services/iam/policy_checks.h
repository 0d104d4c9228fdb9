// What IAM asks of a document before it is stored: its grammar, its size, and that the principals of a trust policy
// exist. Throws MalformedPolicyDocument and LimitExceeded with AWS's sentences. Control thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "services/iam/iam.h"

namespace brume::iam {

// "IAM and AWS STS quotas".
inline constexpr std::size_t kManagedPolicySize = 6144;
inline constexpr std::size_t kRoleInlineSize = 10'240;
inline constexpr std::size_t kUserInlineSize = 2048;
inline constexpr std::size_t kGroupInlineSize = 5120;
inline constexpr std::size_t kGroupsPerUser = 10;
inline constexpr std::size_t kDevicesPerUser = 8;
inline constexpr std::size_t kTrustPolicySize = 2048;
inline constexpr std::size_t kAttachedPolicies = 10;
inline constexpr std::size_t kPolicyVersions = 5;
inline constexpr std::size_t kAccessKeysPerUser = 2;

void check_identity_policy(const std::string& document);
void check_managed_policy(const std::string& document);
// The unique ids of the principals that the document names, by ARN.
std::map<std::string, std::string> check_trust_policy(const Iam& iam, const std::string& document);

// The trust policy as it counts today: a principal that was deleted, or made anew, stands there by its former unique
// id ("AWS JSON policy elements: Principal").
std::string effective_trust(const Iam& iam, const RoleRecord& role);

// A document as it travels in answers: percent-encoded, a space as %20.
std::string on_wire(std::string_view document);

// A policy that can be a permissions boundary or be attached; NoSuchEntity when it does not exist.
void check_managed_exists(const Iam& iam, const RequestContext& request, const std::string& arn);

}  // namespace brume::iam

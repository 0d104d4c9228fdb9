// What a session is given beside its principal: policies, tags, source identity. AssumeRole, AssumeRoleWithWebIdentity
// and GetFederationToken share it. Pure but for look-ups; control thread.
#pragma once

#include <string>
#include <vector>

#include "aws/authorization.h"
#include "gen/sts.h"
#include "services/sts/sts.h"

namespace brume::sts {

// AccessDenied in AWS's words unless the caller may.
void require(const Sts& sts, const RequestContext& request, const Ask& ask);

// Checks and adds the session policies: MalformedPolicyDocument, PackedPolicyTooLarge.
void add_policies(const Sts& sts, const opt<std::string>& policy, const std::vector<PolicyDescriptorType>& arns,
                  const std::string& account, SessionRecord& session);

// Checks and adds session tags, and the transitive ones of the session that asks ("Passing session tags in AWS STS").
void add_tags(const Sts& sts, const Principal& caller, const Tags& given, std::vector<std::string> transitive,
              SessionRecord& session);
// The tags of a request, whose keys must differ.
Tags tags_of(const std::vector<Tag>& list);
void add_tag_keys(const Tags& tags, const std::vector<std::string>& transitive, Ask& ask);

// How much of the space for session policies and tags is used, in percent; empty when there are none.
opt<std::int64_t> packed_size(const SessionRecord& session);

}  // namespace brume::sts

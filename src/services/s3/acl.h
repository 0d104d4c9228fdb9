// Access control lists, as far as they go here: the canned ones that grant to the owner or to everyone ("Access control
// list (ACL) overview"). Other grants are refused by name. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "services/s3/records.h"

namespace brume::s3 {

struct AclRequest {
  opt<std::string> canned;
  bool grant_headers = false;                   // any of x-amz-grant-*
  const AccessControlPolicy* policy = nullptr;  // an ACL as XML
};

template <class Input>
AclRequest acl_request(const Input& input) {
  AclRequest request{input.acl,
                     input.grant_full_control || input.grant_read || input.grant_read_acp || input.grant_write_acp};
  if constexpr (requires { input.grant_write; }) request.grant_headers = request.grant_headers || input.grant_write;
  if constexpr (requires { input.access_control_policy; }) {
    if (input.access_control_policy) request.policy = &*input.access_control_policy;
  }
  return request;
}

// The canned ACL that a request means, empty when it names none. Throws for what is not served and for what the
// bucket's ownership controls or its public access block forbid.
std::string requested_acl(const AclRequest& request, const BucketRecord& bucket, bool for_bucket);

bool is_public_acl(std::string_view canned);
Owner owner_of(const BucketRecord& bucket);
std::vector<Grant> grants_of(const BucketRecord& bucket, std::string_view canned);

}  // namespace brume::s3

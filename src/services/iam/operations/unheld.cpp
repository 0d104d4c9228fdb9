// What users and accounts can have on AWS and cannot be given here: the lists are empty, truthfully, and what is
// deleted does not exist. Terraform asks for all of them before it deletes a user with force_destroy.
#include "gen/iam.h"
#include "services/iam/iam.h"

namespace brume::iam {
namespace {

// The user must exist; without a name the caller is meant.
void check_user(const Iam& iam, const RequestContext& request, const opt<std::string>& name) {
  if (name) get_user(iam, request, *name);
}

}  // namespace

ListGroupsForUserOutput list_groups_for_user(Iam& iam, Tx&, const Request<ListGroupsForUserInput>& request) {
  check_user(iam, request, request.input.user_name);
  ListGroupsForUserOutput output;
  output.groups.emplace();
  output.is_truncated = false;
  return output;
}

ListMFADevicesOutput list_mfa_devices(Iam& iam, Tx&, const Request<ListMFADevicesInput>& request) {
  check_user(iam, request, request.input.user_name);
  ListMFADevicesOutput output;
  output.mfa_devices.emplace();
  output.is_truncated = false;
  return output;
}

ListVirtualMFADevicesOutput list_virtual_mfa_devices(Iam&, Tx&, const Request<ListVirtualMFADevicesInput>&) {
  ListVirtualMFADevicesOutput output;
  output.virtual_mfa_devices.emplace();
  output.is_truncated = false;
  return output;
}

ListSSHPublicKeysOutput list_ssh_public_keys(Iam& iam, Tx&, const Request<ListSSHPublicKeysInput>& request) {
  check_user(iam, request, request.input.user_name);
  ListSSHPublicKeysOutput output;
  output.ssh_public_keys.emplace();
  output.is_truncated = false;
  return output;
}

ListSigningCertificatesOutput list_signing_certificates(Iam& iam, Tx&,
                                                        const Request<ListSigningCertificatesInput>& request) {
  check_user(iam, request, request.input.user_name);
  ListSigningCertificatesOutput output;
  output.certificates.emplace();
  output.is_truncated = false;
  return output;
}

ListServiceSpecificCredentialsOutput list_service_specific_credentials(
    Iam& iam, Tx&, const Request<ListServiceSpecificCredentialsInput>& request) {
  check_user(iam, request, request.input.user_name);
  ListServiceSpecificCredentialsOutput output;
  output.service_specific_credentials.emplace();
  output.is_truncated = false;
  return output;
}

DeleteLoginProfileOutput delete_login_profile(Iam& iam, Tx&, const Request<DeleteLoginProfileInput>& request) {
  check_user(iam, request, request.input.user_name);
  const std::string name = request.input.user_name.get();
  throw no_such_entity_exception("Login Profile for User " + name + " cannot be found.");
}

ListAccountAliasesOutput list_account_aliases(Iam&, Tx&, const Request<ListAccountAliasesInput>&) {
  ListAccountAliasesOutput output;
  output.account_aliases.emplace();
  output.is_truncated = false;
  return output;
}

}  // namespace brume::iam

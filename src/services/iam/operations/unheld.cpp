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

}  // namespace brume::iam

#include "app/adapters/identity.h"

#include "services/iam/devices.h"

namespace brume::app {

std::optional<Identities::Role> Identities::find_role(const std::string& role_arn) const {
  const iam::RoleRecord* role = iam::find_role(iam_, role_arn);
  if (role == nullptr) return std::nullopt;
  return Role{.name = role->name,
              .id = role->id,
              .arn = role->arn,
              .account = parse_arn(role->arn)->account,
              .max_session_seconds = role->max_session_seconds};
}

std::optional<Identities::Provider> Identities::find_provider(const std::string& account,
                                                              const std::string& issuer) const {
  const iam::ProviderRecord* provider = iam_.providers.find(iam::global(account), issuer);
  if (provider == nullptr) return std::nullopt;
  return Provider{provider->arn, provider->url, provider->client_ids, provider->thumbprints};
}

bool Identities::take_code(Tx& tx, const Principal& principal, const std::string& serial, const std::string& code) {
  if (principal.kind != Principal::Kind::user) return false;
  const Scope scope = iam::global(principal.account);
  const iam::DeviceRecord* device = iam_.devices.find(scope, serial);
  const iam::UserRecord* user = iam::find_user(iam_, principal.arn);
  if (device == nullptr || user == nullptr || device->enabled.ms == 0 || device->user != user->name) return false;
  const std::optional<std::int64_t> step = iam::step_of(device->seed, code, iam_.clock.now(), device->last_step);
  if (!step) return false;
  iam_.devices.modify(tx, scope, serial, [&](iam::DeviceRecord& record) { record.last_step = *step; });
  return true;
}

const std::map<std::string, std::string>* Sessions::provider_keys(const Principal& principal) const {
  if (principal.kind != Principal::Kind::role_session) return nullptr;
  const sts::SessionRecord* session = sts_.sessions.find({principal.account, ""}, principal.access_key_id);
  return session == nullptr || session->provider_keys.empty() ? nullptr : &session->provider_keys;
}

}  // namespace brume::app

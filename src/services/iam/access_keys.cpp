#include "services/iam/access_keys.h"

namespace brume::iam {

Credential credential_of(const Iam& iam, const std::string& account, const AccessKeyRecord& key) {
  Credential credential;
  credential.secret = key.secret;
  credential.active = key.active;
  Principal& principal = credential.principal;
  principal.account = account;
  principal.access_key_id = key.id;
  if (key.user.empty()) {
    principal.kind = Principal::Kind::root;
    principal.arn = make_global_arn({account, ""}, "iam", "root");
    principal.id = account;
  } else if (const UserRecord* user = iam.users.find(global(account), key_of(key.user))) {
    principal.kind = Principal::Kind::user;
    principal.arn = user->arn;
    principal.id = user->id;
  } else {
    credential.active = false;
  }
  return credential;
}

void publish_key(Iam& iam, Tx& tx, const std::string& account, const std::string& key_id) {
  tx.on_commit([&iam, account, key_id] {
    if (const AccessKeyRecord* key = iam.keys.find(global(account), key_id))
      iam.access_keys.put(key_id, credential_of(iam, account, *key));
    else
      iam.access_keys.remove(key_id);
  });
}

}  // namespace brume::iam

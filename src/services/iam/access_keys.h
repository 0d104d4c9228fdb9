// Long-lived access keys: who they make their bearer, and how the front door learns of them. Control thread.
#pragma once

#include <string>

#include "services/iam/iam.h"

namespace brume::iam {

// What the key's bearer is: the user, or the account's root.
Credential credential_of(const Iam& iam, const std::string& account, const AccessKeyRecord& key);

// The front door follows a key once the transaction is committed.
void publish_key(Iam& iam, Tx& tx, const std::string& account, const std::string& key_id);

}  // namespace brume::iam

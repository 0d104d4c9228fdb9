// A session's credentials as answers show them. Pure.
#pragma once

#include "gen/sts.h"
#include "services/sts/sts.h"

namespace brume::sts {

inline Credentials shown_credentials(const SessionRecord& session) {
  Credentials credentials;
  credentials.access_key_id = session.access_key_id;
  credentials.secret_access_key = session.secret;
  credentials.session_token = session.token;
  credentials.expiration = session.expires;
  return credentials;
}

}  // namespace brume::sts

// STS: sessions and their temporary credentials. Made by app; control thread.
#pragma once

#include <boost/describe/class.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "aws/authorization.h"
#include "core/random.h"
#include "core/runtime.h"
#include "core/time.h"
#include "services/sts/issuer_keys.h"
#include "services/sts/key_ring.h"
#include "services/sts/needs.h"
#include "store/table.h"

namespace brume::sts {

// A session, by its access key's id, in the scope of its account without a region.
struct SessionRecord {
  std::string access_key_id, secret, token;
  std::string kind;  // "role", "user", "root" or "federated"
  std::string arn, id;
  std::string role_arn;  // of a role's session; of a federated user: who asked for the token
  std::string session_policy;
  std::vector<std::string> session_policy_arns;
  Tags session_tags;
  std::vector<std::string> transitive_tag_keys;
  std::string source_identity;
  Time issued, expires;
  bool mfa = false;
  std::string federated_provider;                    // of a session by web identity: the provider's ARN
  std::map<std::string, std::string> provider_keys;  // what its token said, as condition keys
};
BOOST_DESCRIBE_STRUCT(SessionRecord, (),
                      (access_key_id, secret, token, kind, arn, id, role_arn, session_policy, session_policy_arns,
                       session_tags, transitive_tag_keys, source_identity, issued, expires, mfa, federated_provider,
                       provider_keys))

struct Sts {
  Sts(Store& store, const Clock& clock, Random& random, Control& control, KeyRing& key_ring, Identities& identities,
      Issuers& issuers, const Authorizer& authorizer);
  ~Sts();
  Sts(const Sts&) = delete;
  Sts& operator=(const Sts&) = delete;

  Store& store;
  const Clock& clock;
  Random& random;
  Control& control;
  KeyRing& key_ring;
  Identities& identities;
  IssuerKeys issuer_keys;
  const Authorizer& authorizer;

  Table<SessionRecord> sessions;
  std::optional<Control::TimerId> prune_timer;
};

// Whether the request brings a code of the caller's own MFA device; AccessDenied when it brings a wrong one.
bool takes_mfa(Sts& sts, Tx& tx, const RequestContext& request, const opt<std::string>& serial,
               const opt<std::string>& code);

// A session of the role that is not stored: who its bearer is.
Principal role_session(const Identities::Role& role, const std::string& session_name);

// Gives the principal temporary credentials for so long, valid at the front door once the transaction is committed.
// `details` brings what the session has beside them: policies, tags, source identity.
SessionRecord open_session(Sts& sts, Tx& tx, const Principal& principal, Duration duration, SessionRecord details = {},
                           std::size_t smallest_token = 0);

}  // namespace brume::sts

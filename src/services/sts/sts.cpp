#include "services/sts/sts.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/log.h"
#include "core/text.h"

namespace brume::sts {
namespace {

// An expired session is kept for a while, so that its bearer hears ExpiredToken and not that the key is unknown.
constexpr Duration kKeptAfterExpiry = hours(1);

std::string_view kind_name(Principal::Kind kind) {
  switch (kind) {
    case Principal::Kind::role_session:
      return "role";
    case Principal::Kind::root:
      return "root";
    case Principal::Kind::federated_user:
      return "federated";
    default:
      return "user";
  }
}

Credential credential_of(const std::string& account, const SessionRecord& session) {
  Credential credential;
  credential.secret = session.secret;
  credential.session_token = session.token;
  Principal& principal = credential.principal;
  principal.kind = session.kind == "role"        ? Principal::Kind::role_session
                   : session.kind == "root"      ? Principal::Kind::root
                   : session.kind == "federated" ? Principal::Kind::federated_user
                                                 : Principal::Kind::user;
  principal.account = account;
  principal.arn = session.arn;
  principal.id = session.id;
  principal.role_arn = session.role_arn;
  principal.access_key_id = session.access_key_id;
  principal.session_policy = session.session_policy;
  principal.session_policy_arns = session.session_policy_arns;
  principal.session_tags = session.session_tags;
  principal.source_identity = session.source_identity;
  principal.expires = session.expires;
  principal.issued = session.issued;
  principal.mfa = session.mfa;
  return credential;
}

void plan_pruning(Sts& sts);

// Erases what has long expired, a batch at a time.
void prune(Sts& sts) {
  constexpr std::size_t kBatch = 500;
  const Time limit = sts.clock.now() - kKeptAfterExpiry;
  std::vector<std::pair<Scope, std::string>> gone;
  sts.sessions.for_all([&](const Scope& scope, std::string_view id, const SessionRecord& session) {
    if (session.expires <= limit && gone.size() < kBatch) gone.emplace_back(scope, id);
  });
  try {
    Tx tx(sts.store);
    for (const auto& [scope, id] : gone) sts.sessions.erase(tx, scope, id);
    tx.commit();
  } catch (const StoreError& error) {
    // A full disk: expired sessions stay a while, they are worth nothing.
    log::warning("sts", std::string("expired sessions could not be erased: ") + error.what());
    sts.prune_timer = sts.control.at(sts.clock.now() + minutes(10), [&sts] {
      sts.prune_timer.reset();
      prune(sts);
    });
    return;
  }
  for (const auto& [scope, id] : gone) sts.key_ring.remove(id);
  plan_pruning(sts);
}

// One timer, for the session that expires first. None while there are no sessions.
void plan_pruning(Sts& sts) {
  if (sts.prune_timer) sts.control.cancel(*std::exchange(sts.prune_timer, std::nullopt));
  std::optional<Time> first;
  sts.sessions.for_all([&](const Scope&, std::string_view, const SessionRecord& session) {
    if (!first || session.expires < *first) first = session.expires;
  });
  if (!first) return;
  sts.prune_timer = sts.control.at(*first + kKeptAfterExpiry, [&sts] {
    sts.prune_timer.reset();
    prune(sts);
  });
}

}  // namespace

Sts::Sts(Store& store_given, const Clock& clock_given, Random& random_given, Control& control_given,
         KeyRing& key_ring_given, Identities& identities_given, Issuers& issuers, const Authorizer& authorizer_given)
    : store(store_given),
      clock(clock_given),
      random(random_given),
      control(control_given),
      key_ring(key_ring_given),
      identities(identities_given),
      issuer_keys(clock_given, issuers),
      authorizer(authorizer_given),
      sessions(store_given, {"sts.session", 1}) {
  sessions.for_all([this](const Scope& scope, std::string_view id, const SessionRecord& session) {
    key_ring.put(std::string(id), credential_of(scope.account, session));
  });
  plan_pruning(*this);
}

Sts::~Sts() {
  if (prune_timer) control.cancel(*prune_timer);
}

Principal role_session(const Identities::Role& role, const std::string& session_name) {
  const std::optional<Arn> role_arn = parse_arn(role.arn);
  Principal principal;
  principal.kind = Principal::Kind::role_session;
  principal.account = role.account;
  principal.role_arn = role.arn;
  principal.id = role.id + ":" + session_name;
  // The session's ARN has the role's name without its path.
  principal.arn =
      to_string(Arn{role_arn->partition, "sts", "", role.account, "assumed-role/" + role.name + "/" + session_name});
  return principal;
}

SessionRecord open_session(Sts& sts, Tx& tx, const Principal& principal, Duration duration, SessionRecord details,
                           std::size_t smallest_token) {
  SessionRecord session = std::move(details);
  session.kind = std::string(kind_name(principal.kind));
  session.arn = principal.arn;
  session.id = principal.id;
  session.role_arn = principal.role_arn;
  session.access_key_id = new_access_key_id("ASIA", principal.account, sts.random);
  session.secret = sts.random.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 40);
  std::string token(std::max<std::size_t>(240, (smallest_token + 3) / 4 * 3), '\0');
  sts.random.fill(token.data(), token.size());
  session.token = to_base64(token);
  session.issued = sts.clock.now();
  session.expires = session.issued + duration;
  const std::string key_id = session.access_key_id;
  const SessionRecord& stored = sts.sessions.insert(tx, {principal.account, ""}, key_id, std::move(session));
  tx.on_commit([&sts, account = principal.account, id = key_id] {
    if (const SessionRecord* made = sts.sessions.find({account, ""}, id))
      sts.key_ring.put(id, credential_of(account, *made));
    if (!sts.prune_timer) plan_pruning(sts);
  });
  return stored;
}

}  // namespace brume::sts

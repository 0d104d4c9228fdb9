#include "services/sts/issuer_keys.h"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "core/log.h"
#include "core/text.h"
#include "gen/sts.h"

namespace brume::sts {
namespace {

constexpr Duration kKept = minutes(10);
constexpr std::size_t kMostIssuers = 64;

AwsError no_key() {
  return invalid_identity_token_exception(
      "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity "
      "documentation for requirements");
}

// "We secure communication with some OIDC identity providers through our library of trusted certificate authorities
// instead of using a certificate thumbprint": either is enough.
bool is_known(const Issuers::Document& document, const std::vector<std::string>& thumbprints) {
  if (document.trusted) return true;
  return std::ranges::any_of(document.thumbprints, [&](const std::string& shown) {
    return std::ranges::any_of(thumbprints,
                               [&](const std::string& known) { return equals_ignoring_case(shown, known); });
  });
}

}  // namespace

// Shared by the callbacks of one look-up.
struct IssuerKeys::Search {
  std::string issuer;
  std::vector<std::string> thumbprints;
  WebToken token;
  Done done;

  // The answer when a document cannot be used; nothing when it can.
  std::optional<AwsError> problem_of(const Issuers::Document& document) const {
    if (!document.problem.empty()) {
      log::info("sts", "the identity provider " + issuer + " cannot be reached: " + document.problem);
      return idp_communication_error_exception("The identity provider https://" + issuer +
                                               " cannot be reached: " + document.problem);
    }
    if (!is_known(document, thumbprints))
      return invalid_identity_token_exception(
          "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint");
    if (document.status != 200) return no_key();
    return std::nullopt;
  }
};

void IssuerKeys::find(const std::string& issuer, const std::vector<std::string>& thumbprints, const WebToken& token,
                      Done done) {
  auto search = std::make_shared<Search>(Search{issuer, thumbprints, token, std::move(done)});
  const auto kept = kept_.find(issuer);
  if (kept != kept_.end() && clock_.now() < kept->second.fetched + kKept && judge(search, kept->second)) return;
  discover(search);
}

// Answers when the kept keys are enough to tell; false: they must be fetched (again).
bool IssuerKeys::judge(const std::shared_ptr<Search>& search, const Kept& kept) {
  // Keys that a certificate vouched for count for providers that name that certificate only.
  const Issuers::Document shown{.trusted = kept.thumbprints.empty(), .thumbprints = kept.thumbprints};
  if (!is_known(shown, search->thumbprints)) return false;
  bool any = false;
  for (const WebKey& key : kept.keys) {
    if (!search->token.key_id.empty() && key.id != search->token.key_id) continue;
    any = true;
    if (!verify(search->token, key)) continue;
    search->done(std::nullopt);
    return true;
  }
  if (!any) return false;
  search->done(invalid_identity_token_exception("The token's signature is not valid"));
  return true;
}

void IssuerKeys::discover(const std::shared_ptr<Search>& search) {
  const std::string issuer = search->issuer;
  Searches& waiting = waiting_[issuer];
  waiting.push_back(search);
  if (waiting.size() > 1) return;
  issuers_.fetch("https://" + issuer + "/.well-known/openid-configuration",
                 [this, issuer](const Issuers::Document& document) { take_configuration(issuer, document); });
}

// Answers those for whom the document is of no use, each by its provider's thumbprints; the others still wait.
IssuerKeys::Searches IssuerKeys::usable(const std::string& issuer, const Issuers::Document& document) {
  Searches left;
  std::vector<std::pair<std::shared_ptr<Search>, AwsError>> refused;
  for (const auto& search : waiting_[issuer]) {
    if (auto problem = search->problem_of(document)) {
      refused.emplace_back(search, std::move(*problem));
    } else {
      left.push_back(search);
    }
  }
  if (left.empty()) {
    waiting_.erase(issuer);
  } else {
    waiting_[issuer] = left;
  }
  for (const auto& [search, problem] : refused) search->done(problem);
  return left;
}

void IssuerKeys::end_all(const std::string& issuer, const AwsError& problem) {
  const Searches ended = std::move(waiting_[issuer]);
  waiting_.erase(issuer);
  for (const auto& search : ended) search->done(problem);
}

void IssuerKeys::take_configuration(const std::string& issuer, const Issuers::Document& document) {
  if (usable(issuer, document).empty()) return;
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(document.body, error);
  if (error || !value.is_object()) return end_all(issuer, no_key());
  const auto text = [&](const char* name) {
    const boost::json::value* found = value.as_object().if_contains(name);
    return found != nullptr && found->is_string() ? std::string(found->as_string()) : std::string();
  };
  const std::string keys = text("jwks_uri");
  // "The issuer value returned MUST be identical to the Issuer URL that was directly used to retrieve" it.
  if (text("issuer") != "https://" + issuer || !keys.starts_with("https://")) return end_all(issuer, no_key());
  issuers_.fetch(keys, [this, issuer](const Issuers::Document& found) { take_keys(issuer, found); });
}

void IssuerKeys::take_keys(const std::string& issuer, const Issuers::Document& document) {
  const Searches searches = usable(issuer, document);
  if (searches.empty()) return;
  auto keys = read_key_set(document.body);
  if (!keys) return end_all(issuer, no_key());
  if (kept_.size() >= kMostIssuers && !kept_.contains(issuer)) kept_.erase(kept_.begin());
  kept_[issuer] = {std::move(*keys), document.trusted ? std::vector<std::string>() : document.thumbprints,
                   clock_.now()};
  waiting_.erase(issuer);
  for (const auto& search : searches) {
    const auto kept = kept_.find(issuer);  // an answer may have begun another search
    if (kept == kept_.end() || !judge(search, kept->second)) search->done(no_key());
  }
}

}  // namespace brume::sts

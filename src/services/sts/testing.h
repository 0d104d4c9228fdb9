// What STS's unit tests stand on: a service over a store in memory, with roles and verdicts that the test decides.
// Tests only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/testing.h"
#include "gen/sts.h"
#include "services/sts/sts.h"

namespace brume::sts {

inline constexpr const char* kAccount = "111111111111";
inline constexpr const char* kRole = "arn:aws:iam::111111111111:role/team/app";

class FakeIdentities final : public Identities {
 public:
  std::map<std::string, Role> roles = {{kRole, {"app", "AROAAPPAPPAPPAPPAPPAP", kRole, kAccount, 7200}}};
  std::optional<Provider> provider;
  std::string code;  // that the caller's device shows
  std::optional<Role> find_role(const std::string& arn) const override {
    const auto found = roles.find(arn);
    if (found == roles.end()) return std::nullopt;
    return found->second;
  }
  bool has_policy(const std::string&, const std::string& arn) const override {
    return arn == "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
  }
  std::optional<Provider> find_provider(const std::string&, const std::string& issuer) const override {
    if (provider && provider->url == issuer) return provider;
    return std::nullopt;
  }
  bool take_code(Tx&, const Principal&, const std::string&, const std::string& given) override {
    return !given.empty() && std::exchange(code, "") == given;
  }
  std::optional<std::string> decode_message(const std::string& encoded) const override {
    if (encoded == "encoded") return "{\"allowed\":false}";
    return std::nullopt;
  }
};

// Documents by their url; what is not there cannot be reached.
class FakeIssuers final : public Issuers {
 public:
  std::map<std::string, Document> documents;
  int fetched = 0;
  void fetch(const std::string& url, std::function<void(Document)> done) override {
    ++fetched;
    const auto found = documents.find(url);
    done(found == documents.end() ? Document{.problem = "nobody answers"} : found->second);
  }
};

// Allows what the test allows, and remembers what was asked.
class ScriptedAuthorizer final : public Authorizer {
 public:
  std::function<bool(const RequestContext&, const Ask&)> allows = [](const auto&, const auto&) { return true; };
  mutable std::vector<Ask> asked;
  Verdict authorize(const RequestContext& context, const Ask& ask) const override {
    asked.push_back(ask);
    if (allows(context, ask)) return {true, {}};
    return {false, "because no identity-based policy allows the " + ask.action + " action"};
  }
};

struct StsWorld {
  std::unique_ptr<Store> store = memory_store();
  ManualRuntime runtime;
  std::unique_ptr<Random> random = seeded_random(1);
  KeyRing key_ring;
  FakeIdentities identities;
  FakeIssuers issuers;
  ScriptedAuthorizer authorizer;
  std::unique_ptr<Sts> sts = make();
  RequestContext caller = context_of(user());

  std::unique_ptr<Sts> make() {
    return std::make_unique<Sts>(*store, runtime.clock, *random, runtime.control, key_ring, identities, issuers,
                                 authorizer);
  }
  static Principal user() {
    Principal principal;
    principal.kind = Principal::Kind::user;
    principal.account = kAccount;
    principal.arn = "arn:aws:iam::111111111111:user/alice";
    principal.id = "AIDAALICEALICEALICEAL";
    return principal;
  }
  static Principal root() {
    Principal principal;
    principal.kind = Principal::Kind::root;
    principal.account = principal.id = kAccount;
    principal.arn = "arn:aws:iam::111111111111:root";
    return principal;
  }
  RequestContext context_of(const Principal& principal) const {
    RequestContext context;
    context.scope = {principal.account, "eu-west-1"};
    context.principal = principal;
    context.now = runtime.clock.now();
    return context;
  }
  template <class Output, class Input>
  Output call(Output (*handler)(Sts&, Tx&, const Request<Input>&), const Input& input) {
    Tx tx(*store);
    Output output = handler(*sts, tx, Request<Input>(caller, input));
    tx.commit();
    return output;
  }
  template <class Output, class Input>
  std::string error(Output (*handler)(Sts&, Tx&, const Request<Input>&), const Input& input) {
    try {
      call(handler, input);
      return "";
    } catch (const AwsError& failure) {
      return failure.code + ": " + failure.message;
    }
  }
  // The same of an operation that answers later, which here is at once.
  template <class Output, class Input>
  std::string deferred_error(void (*handler)(Sts&, Tx&, const Request<Input>&, Deferred<Output>), const Input& input,
                             Output* output = nullptr) {
    std::string problem = "no answer";
    const auto fail = [&](const AwsError& error) { problem = error.code + ": " + error.message; };
    try {
      Tx tx(*store);
      caller.now = runtime.clock.now();
      handler(*sts, tx, Request<Input>(caller, input),
              Deferred<Output>(
                  [&](Output answer) {
                    problem.clear();
                    if (output != nullptr) *output = std::move(answer);
                  },
                  fail));
      tx.commit();
    } catch (const AwsError& error) {
      fail(error);
    }
    return problem;
  }
  // What the front door finds for the credentials.
  std::optional<Credential> bearer(const Credentials& credentials) const {
    return key_ring.find(*credentials.access_key_id);
  }
};

}  // namespace brume::sts

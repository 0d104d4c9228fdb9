// What IAM's unit tests stand on: a service over a store in memory, and requests that are committed like the
// dispatcher's. Tests only.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "core/testing.h"
#include "gen/iam.h"
#include "services/iam/authorizer.h"
#include "services/iam/iam.h"

namespace brume::iam {

inline constexpr const char* kAccount = "111111111111";
inline constexpr const char* kTasksTrust =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]})";
inline constexpr const char* kAllowS3 =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]})";

class FakeAccessKeys final : public AccessKeys {
 public:
  std::string new_id(const std::string& account) override {
    const std::string id = "AKIATESTKEY000000" + std::to_string(100 + next_++);
    accounts_[id] = account;
    return id;
  }
  std::string account_of(const std::string& id) const override {
    const auto found = accounts_.find(id);
    return found == accounts_.end() ? std::string() : found->second;
  }
  void put(const std::string& id, Credential credential) override { issued[id] = std::move(credential); }
  void remove(const std::string& id) override { issued.erase(id); }

  std::map<std::string, Credential> issued;

 private:
  std::map<std::string, std::string> accounts_;
  int next_ = 0;
};

inline Principal root_principal(const std::string& account = kAccount) {
  Principal principal;
  principal.kind = Principal::Kind::root;
  principal.account = principal.id = account;
  principal.arn = "arn:aws:iam::" + account + ":root";
  return principal;
}

struct IamWorld {
  std::unique_ptr<Store> store = memory_store();
  ManualClock clock;
  std::unique_ptr<Random> random = seeded_random(1);
  FakeAccessKeys access_keys;
  std::unique_ptr<Iam> iam = make();
  RequestContext caller = context_of(root_principal());

  std::unique_ptr<Iam> make() {
    return std::make_unique<Iam>(*store, clock, *random, access_keys, PagingTokens("a secret for tests"));
  }
  // As after a restart of the daemon.
  void restart() {
    iam.reset();
    access_keys.issued.clear();
    iam = make();
  }
  RequestContext context_of(const Principal& principal) const {
    RequestContext context;
    context.scope = {principal.account, "us-east-1"};
    context.principal = principal;
    context.now = clock.now();
    return context;
  }

  template <class Output, class Input>
  Output call(Output (*handler)(Iam&, Tx&, const Request<Input>&), const Input& input) {
    Tx tx(*store);
    Output output = handler(*iam, tx, Request<Input>(caller, input));
    tx.commit();
    return output;
  }
  // The code with which the call fails, and its message: "NoSuchEntity: The role …"; "" when it succeeds.
  template <class Output, class Input>
  std::string error(Output (*handler)(Iam&, Tx&, const Request<Input>&), const Input& input) {
    try {
      call(handler, input);
      return "";
    } catch (const AwsError& failure) {
      return failure.code + ": " + failure.message;
    }
  }

  Role make_role(const std::string& name, const std::string& trust = kTasksTrust, const std::string& path = "/") {
    return *call(create_role, {.path = path, .role_name = name, .assume_role_policy_document = trust}).role;
  }
  User make_user(const std::string& name) { return *call(create_user, {.user_name = name}).user; }
  std::string make_policy(const std::string& name, const std::string& document = kAllowS3) {
    return *call(create_policy, {.policy_name = name, .policy_document = document}).policy->arn;
  }
};

}  // namespace brume::iam

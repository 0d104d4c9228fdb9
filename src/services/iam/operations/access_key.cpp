#include "services/iam/access_keys.h"

#include "gen/iam.h"
#include "services/iam/policy_checks.h"

namespace brume::iam {
namespace {

// Whose keys are meant: the named user's, or the caller's own; empty for root.
std::string owner(const Iam& iam, const RequestContext& request, const opt<std::string>& user_name) {
  if (user_name) return get_user(iam, request, *user_name).name;
  if (request.principal.kind == Principal::Kind::root) return {};
  if (request.principal.kind == Principal::Kind::user)
    if (const UserRecord* user = find_user(iam, request.principal.arn)) return user->name;
  throw AwsError("ValidationError", "Must specify userName when calling with non-User credentials");
}

const AccessKeyRecord& get_key(const Iam& iam, const RequestContext& request, const std::string& user,
                               const std::string& id) {
  const AccessKeyRecord* key = iam.keys.find(global(request), id);
  if (key == nullptr || key->user != user)
    throw no_such_entity_exception("The Access Key with id " + id + " cannot be found.");
  return *key;
}

// "If you do not specify a user name, IAM determines the user name implicitly based on the access key ID": of the key
// that signs; root names a key of any of its users.
std::string owner_of_key(const Iam& iam, const RequestContext& request, const opt<std::string>& user_name,
                         const std::string& id) {
  const AccessKeyRecord* key = iam.keys.find(global(request), id);
  if (!user_name && request.principal.kind == Principal::Kind::root && key != nullptr) return key->user;
  return owner(iam, request, user_name);
}

std::string status_of(const AccessKeyRecord& key) { return key.active ? "Active" : "Inactive"; }

opt<std::string> shown_user(const AccessKeyRecord& key) {
  if (key.user.empty()) return kNothing;
  return key.user;
}

}  // namespace

CreateAccessKeyOutput create_access_key(Iam& iam, Tx& tx, const Request<CreateAccessKeyInput>& request) {
  AccessKeyRecord key;
  key.user = owner(iam, request, request.input.user_name);
  if (iam.indexes.ids(request.scope.account, kKeysOf, key.user).size() >= kAccessKeysPerUser)
    throw limit_exceeded_exception("Cannot exceed quota for AccessKeysPerUser: " + std::to_string(kAccessKeysPerUser));
  key.id = iam.access_keys.new_id(request.scope.account);
  key.secret = iam.random.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 40);
  key.created = iam.clock.now();
  iam.keys.insert(tx, global(request), key.id, key);
  index_add(iam, tx, request.scope.account, kKeysOf, key.user, key.id);
  publish_key(iam, tx, request.scope.account, key.id);
  CreateAccessKeyOutput output;
  AccessKey& shown = output.access_key.ensure();
  shown.user_name = shown_user(key);
  shown.access_key_id = key.id;
  shown.status = status_of(key);
  shown.secret_access_key = key.secret;
  shown.create_date = key.created;
  return output;
}

ListAccessKeysOutput list_access_keys(Iam& iam, Tx&, const Request<ListAccessKeysInput>& request) {
  const std::string user = owner(iam, request, request.input.user_name);
  std::vector<const AccessKeyRecord*> found;
  for (const std::string& id : iam.indexes.ids(request.scope.account, kKeysOf, user))
    found.push_back(iam.keys.find(global(request), id));
  ListAccessKeysOutput output;
  cut(iam, request, "ListAccessKeys", found, [](const AccessKeyRecord* key) { return key->id; }, output);
  output.access_key_metadata.emplace();
  for (const AccessKeyRecord* key : found)
    output.access_key_metadata->push_back({.user_name = shown_user(*key),
                                           .access_key_id = key->id,
                                           .status = status_of(*key),
                                           .create_date = key->created});
  return output;
}

UpdateAccessKeyOutput update_access_key(Iam& iam, Tx& tx, const Request<UpdateAccessKeyInput>& request) {
  const std::string& id = *request.input.access_key_id;
  get_key(iam, request, owner_of_key(iam, request, request.input.user_name, id), id);
  if (*request.input.status != "Active" && *request.input.status != "Inactive")
    throw AwsError("ValidationError", "The status of an access key is Active or Inactive.");
  iam.keys.modify(tx, global(request), id,
                  [&](AccessKeyRecord& key) { key.active = *request.input.status == "Active"; });
  publish_key(iam, tx, request.scope.account, id);
  return {};
}

DeleteAccessKeyOutput delete_access_key(Iam& iam, Tx& tx, const Request<DeleteAccessKeyInput>& request) {
  const std::string& id = *request.input.access_key_id;
  const std::string user = owner_of_key(iam, request, request.input.user_name, id);
  get_key(iam, request, user, id);
  index_remove(iam, tx, request.scope.account, kKeysOf, user, id);
  iam.keys.erase(tx, global(request), id);
  iam.last_uses.erase(tx, request.scope.account, id);
  publish_key(iam, tx, request.scope.account, id);
  return {};
}

GetAccessKeyLastUsedOutput get_access_key_last_used(Iam& iam, Tx&, const Request<GetAccessKeyLastUsedInput>& request) {
  const std::string& id = *request.input.access_key_id;
  const std::string account = iam.access_keys.account_of(id);
  const AccessKeyRecord* key = iam.keys.find(global(account), id);
  // AWS says AccessDenied of a key that is not the account's.
  if (key == nullptr || account != request.scope.account)
    throw AwsError("AccessDenied",
                   "User: " + request.principal.arn + " is not authorized to perform: iam:GetAccessKeyLastUsed", 403);
  GetAccessKeyLastUsedOutput output;
  output.user_name = shown_user(*key);
  AccessKeyLastUsed& last_used = output.access_key_last_used.ensure();
  last_used.service_name = "N/A";
  last_used.region = "N/A";
  if (const LastUseRecord* use = iam.last_uses.find(account, id)) {
    last_used.last_used_date = use->time;
    last_used.service_name = use->service;
    last_used.region = use->region;
  }
  return output;
}

}  // namespace brume::iam

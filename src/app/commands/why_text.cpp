#include "app/commands/why_text.h"

#include <fmt/format.h>

#include <boost/json.hpp>

namespace brume::app {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostValues = 4;

std::string text(const json::value& object, std::string_view name) {
  const json::value* value = object.as_object().if_contains(name);
  if (value == nullptr || value->is_null()) return {};
  return value->is_string() ? std::string(value->as_string()) : json::serialize(*value);
}

bool flag(const json::value& object, std::string_view name) { return text(object, name) == "true"; }

std::string values(const json::value& object, std::string_view name) {
  const json::array& list = object.at(name).as_array();
  std::string out;
  for (std::size_t i = 0; i < list.size() && i < kMostValues; ++i)
    out += (i == 0 ? "" : ", ") + std::string(list[i].as_string());
  if (list.size() > kMostValues) out += fmt::format(", … ({} in all)", list.size());
  return out;
}

// "Resource: the policy says arn:aws:s3:::a/*, the request has arn:aws:s3:::b/1"
std::string render_element(const json::value& element) {
  const std::string given = values(element, "given");
  return fmt::format("      {} {}: the policy says {}; the request {}\n", flag(element, "matched") ? "✓" : "✗",
                     text(element, "element"), values(element, "wanted"),
                     given.empty() ? "does not have it" : "has " + given);
}

bool is_of_the_action(const json::value& statement) {
  for (const json::value& element : statement.at("elements").as_array())
    if (text(element, "element").ends_with("Action") && !flag(element, "matched")) return false;
  return true;
}

std::string render_statement(const json::value& statement) {
  const std::string sid = text(statement, "sid");
  std::string out =
      fmt::format("    statement {}{}, {}: {}\n", text(statement, "number"), sid.empty() ? "" : " (" + sid + ")",
                  text(statement, "effect"), flag(statement, "applied") ? "applies" : "does not apply");
  for (const json::value& element : statement.at("elements").as_array()) out += render_element(element);
  return out;
}

std::string render_policy(const json::value& policy, bool all) {
  std::string out = fmt::format("  {} {}\n", text(policy, "kind"), text(policy, "name"));
  if (!flag(policy, "readable")) return out + "    cannot be read: taken for a denial\n";
  std::size_t others = 0;
  for (const json::value& statement : policy.at("statements").as_array()) {
    if (all || is_of_the_action(statement))
      out += render_statement(statement);
    else
      ++others;
  }
  if (others > 0)
    out += fmt::format("    {} statement{} of other actions (--all shows them)\n", others, others == 1 ? "" : "s");
  return out;
}

std::string render_ask(const json::value& ask, bool all) {
  std::string out = fmt::format("\n{}: {} on {}\n", flag(ask, "allowed") ? "ALLOWED" : "DENIED", text(ask, "action"),
                                text(ask, "resource"));
  if (!flag(ask, "allowed")) out += "  " + text(ask, "reason") + "\n";
  for (const json::value& step : ask.at("steps").as_array())
    out += fmt::format("  {:<26} {}\n", text(step, "step"), text(step, "result"));
  const json::array& policies = ask.at("policies").as_array();
  if (!policies.empty()) out += "\n";
  for (const json::value& policy : policies) out += render_policy(policy, all);
  const json::array& remedies = ask.at("remedies").as_array();
  if (!remedies.empty()) out += "\n  what would allow it\n";
  for (const json::value& remedy : remedies) out += "  - " + std::string(remedy.as_string()) + "\n";
  return out;
}

}  // namespace

std::string render_why(const json::value& explanation, bool all) {
  const json::array& asks = explanation.at("asks").as_array();
  const json::value& first = asks.front();
  const json::value& principal = first.at("principal");
  std::string out = fmt::format("request   {} at {}\nprincipal {} ({})\n", text(first, "request_id"),
                                text(first, "time"), text(principal, "arn"), text(principal, "type"));
  if (const std::string role = text(principal, "role"); !role.empty()) out += "role      " + role + "\n";
  for (const json::value& ask : asks) out += render_ask(ask, all);
  return out;
}

std::string render_denials(const json::value& list) {
  const json::array& denials = list.at("denials").as_array();
  if (denials.empty()) return "Nothing was denied lately.\n";
  std::string out;
  for (const json::value& denial : denials)
    out += fmt::format("{}  {}  {} on {}\n    {} {}\n", text(denial, "time"), text(denial, "request_id"),
                       text(denial, "action"), text(denial, "resource"), text(denial.at("principal"), "arn"),
                       text(denial, "reason"));
  return out + "\nbrume why REQUEST-ID explains one of them.\n";
}

}  // namespace brume::app

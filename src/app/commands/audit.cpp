// brume audit: who asked for what, and how it ended.
#include <boost/json.hpp>
#include <cstdio>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

#include "app/admin_client.h"
#include "app/commands/commands.h"

namespace brume::app {
namespace {

namespace json = boost::json;

constexpr std::int64_t kMostEvents = 10'000;

std::string text(const json::object& event, const char* name) {
  const json::value* value = event.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

// "user/alice", "assumed-role/deploy/session", "root", "ecs-tasks.amazonaws.com"
std::string who(const json::object& event) {
  const json::object& identity = event.at("userIdentity").as_object();
  const std::string type = text(identity, "type"), arn = text(identity, "arn");
  if (type == "AWSService") return text(identity, "invokedBy");
  if (type == "WebIdentityUser") return "web identity " + text(identity, "userName");
  if (arn.empty()) return type == "AWSAccount" ? "anonymous" : type;
  return text(identity, "accountId") + " " + arn.substr(arn.rfind(':') + 1);
}

// What the call was about: the first resource that its parameters name by a plain text.
std::string about(const json::object& event) {
  const json::value* parameters = event.if_contains("requestParameters");
  if (parameters == nullptr || !parameters->is_object()) return {};
  std::string found;
  for (const auto& [name, value] : parameters->get_object())
    if (value.is_string() && value.get_string().size() <= 80 && found.size() < 100)
      found += " " + std::string(name) + "=" + std::string(value.get_string());
  return found;
}

// Without what only DecodeAuthorizationMessage reads, which is longer than the rest.
std::string readable(std::string message) {
  const std::size_t encoded = message.find(". Encoded authorization failure message: ");
  return encoded == std::string::npos ? message : message.substr(0, encoded);
}

void show(const json::object& event) {
  const std::string source = text(event, "eventSource");
  std::string line = text(event, "eventTime") + " " + text(event, "awsRegion") + " " + who(event) + " " +
                     source.substr(0, source.find('.')) + ":" + text(event, "eventName") + about(event);
  if (const std::string code = text(event, "errorCode"); !code.empty())
    line += " -> " + code + ": " + readable(text(event, "errorMessage"));
  std::printf("%s  %s\n", line.c_str(), text(event, "requestID").c_str());
}

json::value ask_for_events(const Instance& instance, const AuditOptions& options, std::int64_t from) {
  // Of what came since the last page nothing is left out.
  const std::int64_t limit = from == 0 ? options.limit : kMostEvents;
  return json::parse(ask_daemon(
      instance, "GET",
      "/audit?limit=" + std::to_string(limit) + "&from=" + std::to_string(from) + (options.failed ? "&failed=1" : "")));
}

}  // namespace

int run_audit(const AuditOptions& options) {
  const Instance instance = find_instance(state_directory(options.state));
  std::int64_t from = 0;
  std::set<std::string> seen;  // ids of events at the newest moment, so that none is shown twice
  do {
    const json::value page = ask_for_events(instance, options, from);
    for (const json::value& item : page.at("events").as_array()) {
      const std::string id(item.at("id").as_string());
      if (seen.contains(id)) continue;
      const std::int64_t at = item.at("at").to_number<std::int64_t>();
      if (at > from) seen.clear();
      seen.insert(id);
      from = at;
      if (options.json)
        std::printf("%s\n", json::serialize(item.at("event")).c_str());
      else
        show(item.at("event").as_object());
    }
    std::fflush(stdout);
    if (options.follow) std::this_thread::sleep_for(kFollowPause);
  } while (options.follow);
  return 0;
}

}  // namespace brume::app

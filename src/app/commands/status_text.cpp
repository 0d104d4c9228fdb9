#include "app/commands/status_text.h"

#include <fmt/format.h>

#include <boost/json.hpp>

namespace brume::app {
namespace {

namespace json = boost::json;

std::string text(const json::value& object, std::string_view name) {
  const json::value* value = object.as_object().if_contains(name);
  if (value == nullptr || value->is_null()) return {};
  return value->is_string() ? std::string(value->as_string()) : json::serialize(*value);
}

const json::array& list(const json::value& object, std::string_view name) {
  static const json::array kNone;
  const json::value* value = object.as_object().if_contains(name);
  return value != nullptr && value->is_array() ? value->as_array() : kNone;
}

std::string render_services(const json::value& status) {
  std::string out = "services\n";
  for (const json::value& service : list(status, "services")) {
    std::string resources;
    for (const json::value& resource : list(service, "resources"))
      if (resource.at("count").to_number<std::int64_t>() > 0)
        resources +=
            fmt::format("{}{} {}", resources.empty() ? "" : ", ", text(resource, "count"), text(resource, "name"));
    out += fmt::format("  {:<10} {:>3} operations served, {:>6} requests, {:>8} µs mean   {}\n", text(service, "name"),
                       text(service, "operations"), text(service, "requests"), text(service, "mean_us"), resources);
  }
  return out;
}

std::string render_planes(const json::value& status) {
  std::string out = "planes\n";
  for (const json::value& process : list(status, "processes"))
    out += fmt::format("  {:<44} pid {:<8} {}\n", text(process, "id"), text(process, "pid"),
                       text(process, "running") == "true" ? "running" : "ended");
  for (const json::value& problem : list(status, "problems")) out += fmt::format("  ! {}\n", json::serialize(problem));
  return out;
}

std::string render_packets(const json::value& status) {
  std::string out;
  for (const json::value& counter : list(status, "packets"))
    out += fmt::format("  {:<22} {:<44} {:>10} packets\n", text(counter, "what"), text(counter, "id"),
                       text(counter, "packets"));
  return out.empty() ? out : "packets\n" + out;
}

std::string render_refused(const json::value& status) {
  std::string out;
  for (const json::value& refused : list(status, "refused"))
    out += fmt::format("  {:<60} {:>6} times\n", text(refused, "operation"), text(refused, "count"));
  for (const json::value& name : list(status, "unserved_names"))
    out += fmt::format("  {:<60} {:>6} look-ups\n", text(name, "name"), text(name, "count"));
  return out.empty() ? out : "refused (AWS has it, Brume does not)\n" + out;
}

}  // namespace

std::string render_greeting(const json::value& status) {
  return fmt::format(
      "Brume is up: {} (instance {}, API on 127.0.0.1:{}{})\n"
      "  brume exec -- terraform apply     your own tools, unmodified, with AWS's own host names\n"
      "  eval $(brume env)                 SDKs outside, through AWS_ENDPOINT_URL\n"
      "  brume status | brume logs GROUP | brume down\n",
      text(status, "state"), text(status, "id"), text(status, "port"),
      text(status, "real_internet") == "true" ? "" : ", offline");
}

std::string render_line(const json::value& status) {
  std::int64_t resources = 0, refused = 0;
  for (const json::value& service : list(status, "services"))
    for (const json::value& resource : list(service, "resources"))
      resources += resource.at("count").to_number<std::int64_t>();
  for (const json::value& operation : list(status, "refused"))
    refused += operation.at("count").to_number<std::int64_t>();
  return fmt::format("{} requests, {} resources, {} processes, {} refused, {} problems", text(status, "requests"),
                     resources, list(status, "processes").size(), refused, list(status, "problems").size());
}

std::string render_status(const json::value& status) {
  return fmt::format("instance {} in {}, pid {}, API on 127.0.0.1:{}, real internet {}\n", text(status, "id"),
                     text(status, "state"), text(status, "pid"), text(status, "port"),
                     text(status, "real_internet") == "true" ? "open for tools" : "closed") +
         render_services(status) + render_planes(status) + render_packets(status) + render_refused(status);
}

}  // namespace brume::app

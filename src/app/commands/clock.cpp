// brume clock: what the cloud's clock shows, and turning it.
#include <boost/json.hpp>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "app/admin_client.h"
#include "app/commands/commands.h"
#include "app/tool_list.h"

namespace brume::app {
namespace {

namespace json = boost::json;

void print_dial(const json::value& clock) {
  const double speed = clock.at("speed").to_number<double>();
  std::printf("cloud    %s\nmachine  %s\n", clock.at("now").as_string().c_str(),
              clock.at("machine").as_string().c_str());
  if (clock.at("machine_time").as_bool())
    std::printf("the cloud's clock is the machine's\n");
  else if (clock.at("paused").as_bool())
    std::printf("paused (speed %g when it goes on)\n", speed);
  else
    std::printf("speed %g, %+.1f s from the machine's\n", speed, clock.at("offset_ms").to_number<double>() / 1000);
}

int turn(const std::string& state, const std::string& query) {
  print_dial(json::parse(ask_daemon(find_instance(state_directory(state)), "POST", "/clock?" + query)));
  return 0;
}

// "3d", "1h30m", "90" (seconds), "2w", "500ms". Returns milliseconds; 0: it cannot be read.
std::int64_t parse_span(const std::string& text) {
  double total = 0;
  const char* rest = text.c_str();
  if (text.empty()) return 0;
  while (*rest != '\0') {
    char* end = nullptr;
    if (std::isdigit(static_cast<unsigned char>(*rest)) == 0) return 0;
    const double number = std::strtod(rest, &end);
    std::string unit;
    for (rest = end; std::isalpha(static_cast<unsigned char>(*rest)) != 0; ++rest) unit += *rest;
    const double factor = unit == "ms"                  ? 1
                          : unit == "s" || unit.empty() ? 1e3
                          : unit == "m"                 ? 60e3
                          : unit == "h"                 ? 3600e3
                          : unit == "d"                 ? 86400e3
                          : unit == "w"                 ? 7 * 86400e3
                                                        : 0;
    if (factor == 0) return 0;
    total += number * factor;
  }
  return total > 0 && total < 1e15 ? static_cast<std::int64_t>(total) : 0;
}

}  // namespace

int run_clock(const std::string& state, bool as_json) {
  const Instance instance = find_instance(state_directory(state));
  json::value clock = json::parse(ask_daemon(instance, "GET", "/clock"));
  json::array tools;
  for (const Tool& tool : list_tools(instance))
    tools.push_back(json::object{
        {"pid", tool.pid}, {"clock", tool.follows_cloud ? "cloud" : "machine"}, {"command", tool.command}});
  clock.as_object()["tools"] = tools;
  if (as_json) {
    std::printf("%s\n", json::serialize(clock).c_str());
    return 0;
  }
  print_dial(clock);
  for (const json::value& tool : tools)
    std::printf("  pid %-8lld by the %s's clock   %s\n",
                static_cast<long long>(tool.at("pid").to_number<std::int64_t>()), tool.at("clock").as_string().c_str(),
                tool.at("command").as_string().c_str());
  return 0;
}

int run_clock_speed(const std::string& state, double speed) { return turn(state, "speed=" + std::to_string(speed)); }

int run_clock_advance(const std::string& state, const std::string& span) {
  const std::int64_t ms = parse_span(span);
  if (ms <= 0) throw std::runtime_error("a span is written 3d, 1h30m, 90s, 2w, 500ms: " + span);
  return turn(state, "advance=" + std::to_string(ms));
}

int run_clock_pause(const std::string& state, bool pause) { return turn(state, pause ? "turn=pause" : "turn=resume"); }

}  // namespace brume::app

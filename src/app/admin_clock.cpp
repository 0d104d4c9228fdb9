// The clock on the admin socket: what it shows, and turning it.
#include <cstdlib>

#include <boost/json.hpp>

#include "app/admin.h"
#include "app/cloud.h"
#include "core/text.h"
#include "services/elbv2/reconciler.h"

namespace brume::app {
namespace {

namespace json = boost::json;

// Longer than anybody keeps a cloud, and within what certificates and time stamps can say.
constexpr Duration kLongestAdvance = days(20 * 365);

HttpReply reply_of(int status, const char* type, std::string text) {
  return {.status = status, .headers = {{"Content-Type", type}}, .body = Body::of(std::move(text))};
}

}  // namespace

void Admin::clock(const Done& done) {
  const CloudClock::Dial dial = cloud_.clock.dial();
  const Time now = cloud_.clock.now(), machine = cloud_.clock.machine_now();
  const json::object answer{{"now", iso8601(now, true)},
                            {"machine", iso8601(machine, true)},
                            {"offset_ms", dial.is_machine_time ? 0 : (now - machine).ms},
                            {"speed", dial.speed},
                            {"paused", dial.is_paused},
                            {"machine_time", dial.is_machine_time}};
  done(reply_of(200, "application/json", json::serialize(answer)));
}

void Admin::turn_clock(const HttpRequest& request, const Done& done) {
  const std::string speed = request.parameter("speed"), what = request.parameter("turn");
  std::int64_t advance_ms = 0;
  if (!speed.empty()) {
    const double asked = std::strtod(speed.c_str(), nullptr);
    if (!(asked >= CloudClock::kSlowest && asked <= CloudClock::kFastest))
      return done(reply_of(400, "text/plain", "the speed is a number from 0.01 to 10000"));
    cloud_.clock.set_speed(asked);
  } else if (what == "pause") {
    cloud_.clock.pause();
  } else if (what == "resume") {
    cloud_.clock.resume();
  } else if (parse_int(request.parameter("advance"), advance_ms) && advance_ms > 0 &&
             advance_ms <= kLongestAdvance.ms) {
    // The clock is finer than its milliseconds: the whole span passes, and not a part of one less.
    const Time target = cloud_.clock.now() + milliseconds(advance_ms + 1);
    return cloud_.control.advance(cloud_.clock, target, [this, done] { clock(done); });
  } else {
    return done(reply_of(400, "text/plain", "the clock can be advanced by up to twenty years, and never back"));
  }
  cloud_.control.wake();
  // Load balancers' checks run at the clock's speed.
  cloud_.elbv2.balancers.for_all([this](const Scope& scope, std::string_view key, const auto&) {
    cloud_.elbv2.reconciler->wake(scope, std::string(key));
  });
  clock(done);
}

}  // namespace brume::app

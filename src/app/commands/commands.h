// The command line's commands. Each returns the process's exit code; std::runtime_error is printed by main.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace brume::app {

// How long --follow waits before it asks again: of the machine's time, since the cloud's may stand still.
inline constexpr std::chrono::milliseconds kFollowPause(300);

struct UpOptions {
  std::string state;
  int port = 4566;
  bool detach = false;
  bool offline = false;                      // no real internet, not even for tools in exec
  bool allow_egress = false;                 // workloads reach the real internet through their gateways
  std::optional<double> speed;               // of cloud time; absent: as it was
  bool durable = false;                      // writes survive a power cut
  std::string default_region = "us-east-1";  // of requests that name none
  std::vector<std::string> service_control;  // files: an organization's policies, from its root down to the account
  std::vector<std::string> names;            // NAME=ADDRESS: names of the internet that something inside stands for
};

int run_up(const UpOptions& options);
int run_down(const std::string& state, bool remove, bool yes);
int run_status(const std::string& state, bool json);
struct ExecOptions {
  bool clock = false;  // follows the cloud's clock although it is the machine's still
  bool real = false;   // keeps the machine's
};
int run_exec(const std::string& state, std::vector<std::string> command, const ExecOptions& options);
int run_clock(const std::string& state, bool json);
int run_clock_speed(const std::string& state, double speed);
int run_clock_advance(const std::string& state, const std::string& span);
int run_clock_pause(const std::string& state, bool pause);
int run_env(const std::string& state);
int run_open(const std::string& state, const std::string& name);
struct AuditOptions {
  std::string state;
  int limit = 50;       // of the newest events
  bool failed = false;  // only refused and failed requests
  bool follow = false, json = false;
};
int run_audit(const AuditOptions& options);
int run_logs(const std::string& state, const std::string& group, const std::string& region, bool follow);
int run_why(const std::string& state, const std::string& request_id, bool all, bool json);
int run_image_push(const std::string& state, const std::string& image, const std::string& repository,
                   const std::string& region);
int run_image_load(const std::string& state, const std::string& file, const std::string& reference);
int run_check(const std::string& directory);
int run_doctor(const std::string& state);
int run_tour(const std::string& state);
int run_keys(const std::string& state);

}  // namespace brume::app

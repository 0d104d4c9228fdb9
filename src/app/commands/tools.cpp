// Commands that put a tool into the cloud: exec, env, open.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <stdexcept>
#include <thread>

#include "app/admin_client.h"
#include "app/commands/commands.h"
#include "app/commands/why_text.h"
#include "app/internet.h"
#include "core/text.h"

namespace brume::app {
namespace {

boost::json::value ask(const Instance& instance, const std::string& target) {
  return boost::json::parse(ask_daemon(instance, "GET", target));
}

// An empty name is that of no display.
bool has_display() {
  return std::ranges::any_of(std::array{"DISPLAY", "WAYLAND_DISPLAY"}, [](const char* variable) {
    const char* const name = std::getenv(variable);
    return name != nullptr && *name != '\0';
  });
}

}  // namespace

int run_exec(const std::string& state, std::vector<std::string> command, const ExecOptions& options) {
  const Instance instance = find_instance(state_directory(state));
  const auto clock = ask(instance, "/clock");  // says clearly when nothing is up
  const bool is_turned = !clock.at("machine_time").as_bool();
  const bool follow_clock = !options.real && (options.clock || is_turned);
  enter_internet(instance, {.command = std::move(command), .follow_clock = follow_clock});
}

int run_env(const std::string& state) {
  const Instance instance = find_instance(state_directory(state));
  const std::int64_t port = ask(instance, "/status").at("port").to_number<std::int64_t>();
  // 127.0.0.1, never localhost: SDKs use path-style addresses only for IP addresses (DECISIONS 15).
  std::printf("export AWS_ENDPOINT_URL=http://127.0.0.1:%lld\n", static_cast<long long>(port));
  if (std::getenv("AWS_ACCESS_KEY_ID") == nullptr && std::getenv("AWS_PROFILE") == nullptr)
    std::printf("export AWS_ACCESS_KEY_ID=test\nexport AWS_SECRET_ACCESS_KEY=test\n");
  if (std::getenv("AWS_REGION") == nullptr && std::getenv("AWS_DEFAULT_REGION") == nullptr)
    std::printf("export AWS_REGION=us-east-1\nexport AWS_DEFAULT_REGION=us-east-1\n");
  std::printf("export AWS_EC2_METADATA_DISABLED=true\n");
  std::printf(
      "# For boto3 1.28 and newer, the JavaScript and Go SDKs, aws cli 2.13 and newer. Debian 12's aws cli (2.9)\n"
      "# does not know AWS_ENDPOINT_URL and would call the real AWS: use `brume exec -- aws …` for it.\n");
  return 0;
}

int run_open(const std::string& state, const std::string& name) {
  const Instance instance = find_instance(state_directory(state));
  const std::int64_t port = ask(instance, "/status").at("port").to_number<std::int64_t>();
  const std::string url = "http://" + name + ".elb.localhost:" + std::to_string(port);
  std::printf("%s\n", url.c_str());
  std::fflush(stdout);  // what waits would be the child's to write too
  if (!has_display()) return 0;
  const pid_t child = fork();
  if (child == 0) {
    execlp("xdg-open", "xdg-open", url.c_str(), nullptr);
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}

int run_logs(const std::string& state, const std::string& group, const std::string& region, bool follow) {
  const Instance instance = find_instance(state_directory(state));
  const std::string of_group = "/logs?group=" + percent_encode(group) + "&region=" + percent_encode(region);
  std::int64_t from = 0;
  std::string token;           // of the page that follows
  std::set<std::string> seen;  // ids of events at the newest moment, so that none is shown twice
  while (true) {
    const auto page = ask(instance, of_group + "&from=" + std::to_string(from) + "&token=" + percent_encode(token));
    for (const auto& item : page.at("events").as_array()) {
      const std::string id(item.at("id").as_string());
      if (seen.contains(id)) continue;
      const std::int64_t at = item.at("at").to_number<std::int64_t>();
      if (at > from) seen.clear();
      seen.insert(id);
      from = at;
      std::printf("%s %s\n", item.at("stream").as_string().c_str(), item.at("message").as_string().c_str());
    }
    std::fflush(stdout);
    token = page.at("next").as_string();
    if (!token.empty()) continue;
    if (!follow) return 0;
    std::this_thread::sleep_for(kFollowPause);
  }
}

int run_why(const std::string& state, const std::string& request_id, bool all, bool json) {
  const Instance instance = find_instance(state_directory(state));
  const auto answer = ask(instance, "/why?request=" + percent_encode(request_id));
  const std::string text = json                 ? boost::json::serialize(answer) + "\n"
                           : request_id.empty() ? render_denials(answer)
                                                : render_why(answer, all);
  std::fputs(text.c_str(), stdout);
  return 0;
}

int run_image_push(const std::string& state, const std::string& image, const std::string& repository,
                   const std::string& region) {
  const Instance instance = find_instance(state_directory(state));
  std::string target = repository.empty() ? image.substr(image.rfind('/') + 1) : repository;
  if (target.find(':') == std::string::npos) target += ":latest";
  const auto token = ask(instance, "/registry-token?region=" + percent_encode(region) +
                                       "&repository=" + percent_encode(target.substr(0, target.find(':'))));
  target = std::string(token.at("host").as_string()) + "/" + target;
  std::printf("%s\n", target.c_str());
  std::fflush(stdout);
  enter_internet(instance, {.command = {"buildah", "push", "--creds", std::string(token.at("credentials").as_string()),
                                        image, "docker://" + target}});
}

int run_image_load(const std::string& state, const std::string& file, const std::string& reference) {
  const Instance instance = find_instance(state_directory(state));
  char* path = realpath(file.c_str(), nullptr);
  const std::string absolute = path != nullptr ? path : file;
  std::free(path);
  const std::string digest = ask_daemon(
      instance, "POST", "/images?file=" + percent_encode(absolute) + "&reference=" + percent_encode(reference));
  std::printf("%s\n", digest.c_str());
  return 0;
}

}  // namespace brume::app

// brume: the command line. The daemon is `brume up`, the keeper `brume keep`.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <functional>
#include <optional>
#include <string_view>

#include "app/commands/commands.h"
#include "core/cloud_clock.h"
#include "core/fault.h"
#include "planes/keeper/keeper_process.h"
#include "planes/time/launcher.h"

namespace {

using namespace brume::app;

constexpr const char* kDescription =
    "Brume is AWS at ground level: your own Terraform, containers and tools run for real on this machine.\n\n"
    "  sudo brume up --detach                     start the cloud (its state stays in /var/lib/brume)\n"
    "  sudo brume exec -- terraform apply         the unmodified tool, in a world where AWS is this cloud\n"
    "  sudo brume exec -- aws s3 ls               any tool: aws, cdk, boto3, skopeo, buildah, curl\n"
    "  brume check DIRECTORY                      what of a Terraform directory is served, before any apply\n"
    "  sudo brume status                          what runs here\n"
    "  sudo brume why                             what was denied lately, and why\n"
    "  sudo brume down                            stop everything, keep the state";

// The command that is asked for, where that is plain; otherwise "".
std::string_view command_word(int count, char** arguments) {
  for (int i = 1; i < count; ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--state") {
      ++i;
    } else if (!argument.starts_with("--state=")) {
      return argument.starts_with("-") ? "" : argument;
    }
  }
  return "";
}

// Each command is a subcommand with its own --help; parsing sets `run`, which main calls. `up` describes itself alone:
// all the others are some tenths of a millisecond of its start.
class CommandLine {
 public:
  explicit CommandLine(std::string_view word) : app_(kDescription, "brume"), word_(word) {
    app_.set_version_flag("--version", "brume 0.1.0");
    app_.require_subcommand(1);
    app_.add_option("--state", state_, "state directory (default: $BRUME_STATE, else /var/lib/brume for root)");
    app_.fallthrough();
    add_up();
    if (word == "up") return;
    add_lifecycle();
    add_tools();
    add_clock();
    add_images();
    add_questions();
  }
  int run(int count, char** arguments) {
    const auto is_meant = [this](const CLI::App* each) { return each->get_name() == word_; };
    if (!word_.empty() && app_.get_subcommands(is_meant).empty()) {
      std::fprintf(stderr, "brume: there is no command %s (brume --help)\n", word_.c_str());
      return kWrongWords;
    }
    try {
      app_.parse(count, arguments);
    } catch (const CLI::ParseError& error) {
      return app_.exit(error) == 0 ? 0 : kWrongWords;
    }
    return action_();
  }

 private:
  template <class Action>
  CLI::App* command(const char* name, const char* description, Action action) {
    CLI::App* sub = app_.add_subcommand(name, description);
    sub->callback([this, action] { action_ = action; });
    return sub;
  }

  void add_up() {
    CLI::App* up = command("up", "start the cloud", [this] {
      up_.state = state_;
      return run_up(up_);
    });
    up->add_option("--port", up_.port, "loopback port of the API; 0 picks one")
        ->capture_default_str()
        ->check(CLI::Range(0, 65'535));
    up->add_flag("--detach", up_.detach, "return once it serves");
    up->add_flag("--offline", up_.offline, "close the real internet, for tools in exec too");
    up->add_option_function<std::string>(
          "--egress", [this](const std::string& value) { up_.allow_egress = value == "allow"; },
          "allow: workloads reach the real internet through their gateways")
        ->check(CLI::IsMember({"allow", "deny"}));
    up->add_option("--name", up_.names, "NAME=ADDRESS: a name of the internet that something inside stands for");
    up->add_option("--service-control-policy", up_.service_control,
                   "FILE: what an organization lets every account do; several are levels, which must all allow");
    up->add_option("--speed", up_.speed, "how fast cloud time runs (brume clock --help)")->check(kSpeeds);
    up->add_flag("--durable", up_.durable, "writes survive a power cut, not only the daemon's death");
  }

  void add_lifecycle() {
    CLI::App* down =
        command("down", "stop everything; the state stays", [this] { return run_down(state_, delete_, yes_); });
    down->add_flag("--delete", delete_, "remove the state, after asking");
    down->add_flag("--yes", yes_, "do not ask");
    CLI::App* status = command("status", "services, resources, planes, dropped packets, refused operations",
                               [this] { return run_status(state_, json_); });
    status->add_flag("--json", json_, "as JSON");
  }

  void add_tools() {
    CLI::App* exec = command("exec", "run a tool inside: exec -- terraform apply",
                             [this] { return run_exec(state_, words_, exec_); });
    exec->add_flag("--clock", exec_.clock,
                   "follow the cloud's clock from the beginning, though it is the machine's yet");
    exec->add_flag("--real", exec_.real, "keep the machine's clock, whatever the cloud's is");
    exec->add_option("command", words_, "the command and its arguments, after --")->required();
    exec->prefix_command(false);
    command("shell", "a shell inside", [this] {
      const char* shell = std::getenv("SHELL");
      return run_exec(state_, {shell != nullptr ? shell : "/bin/sh"}, exec_);
    });
    command("env", "variables for tools outside: eval $(brume env)", [this] { return run_env(state_); });
    CLI::App* open = command("open", "open a load balancer in the browser", [this] { return run_open(state_, name_); });
    open->add_option("name", name_, "the load balancer's name")->required();
    command("tour", "a minute with the hello system: kill a task, cut a rule, roll back",
            [this] { return run_tour(state_); });
  }

  void add_clock() {
    CLI::App* clock = app_.add_subcommand("clock", "the cloud's clock: show it, speed N, advance 3d, pause, resume");
    clock->add_flag("--json", json_, "as JSON");
    clock->callback([this, clock] {
      if (clock->get_subcommands().empty()) action_ = [this] { return run_clock(state_, json_); };
    });
    const auto turn = [this, clock](const char* name, const char* description, const std::function<int()>& action) {
      CLI::App* sub = clock->add_subcommand(name, description);
      sub->callback([this, action] { action_ = action; });
      return sub;
    };
    turn("speed", "how fast cloud time runs: 20 makes an hour pass in three minutes",
         [this] { return run_clock_speed(state_, *speed_); })
        ->add_option("speed", speed_, "a number from 0.01 to 10000")
        ->required()
        ->check(kSpeeds);
    turn("advance", "lets a span pass at once; everything due in it happens, in order",
         [this] { return run_clock_advance(state_, name_); })
        ->add_option("span", name_, "3d, 1h30m, 90s, 2w")
        ->required();
    turn("pause", "cloud time stands still", [this] { return run_clock_pause(state_, true); });
    turn("resume", "cloud time goes on", [this] { return run_clock_pause(state_, false); });
  }

  void add_images() {
    CLI::App* image = app_.add_subcommand("image", "images: push NAME, load ARCHIVE");
    image->require_subcommand(1);
    CLI::App* push = image->add_subcommand("push", "push a local image into ECR");
    push->add_option("image", name_, "name of a local image (buildah, podman)")->required();
    push->add_option("--repository", repository_, "repository:tag (default: the image's name)");
    push->add_option("--region", region_, "default: the one that has the repository");
    push->callback([this] { action_ = [this] { return run_image_push(state_, name_, repository_, region_); }; });
    CLI::App* load = image->add_subcommand("load", "take in a docker or OCI archive, for tasks that name it");
    load->add_option("file", file_, "the archive")->required()->check(CLI::ExistingFile);
    load->add_option("reference", name_, "what tasks call it: docker.io/library/nginx:1.27")->required();
    load->callback([this] { action_ = [this] { return run_image_load(state_, file_, name_); }; });
  }

  void add_questions() {
    CLI::App* logs = command("logs", "show a log group", [this] { return run_logs(state_, name_, region_, follow_); });
    logs->add_option("group", name_, "the log group's name")->required();
    logs->add_option("--region", region_, "default: the one that has the group");
    logs->add_flag("--follow,-f", follow_, "go on showing what comes");
    CLI::App* audit = command("audit", "who asked for what, and how it ended", [this] {
      audit_.state = state_;
      return run_audit(audit_);
    });
    audit->add_option("--limit", audit_.limit, "how many of the newest events")
        ->capture_default_str()
        ->check(CLI::Range(1, 10'000));
    audit->add_flag("--failed", audit_.failed, "refused and failed requests only");
    audit->add_flag("--json", audit_.json, "CloudTrail's records, one a line");
    audit->add_flag("--follow,-f", audit_.follow, "go on showing what comes");
    CLI::App* why = command(
        "why", "why a request was allowed or denied, statement by statement; without an id: what was denied lately",
        [this] { return run_why(state_, name_, all_, json_); });
    why->add_option("request", name_, "the request's id, as clients show it");
    why->add_flag("--all", all_, "statements of other actions too");
    why->add_flag("--json", json_, "as JSON");
    CLI::App* check = command("check", "which resource types and operations of a Terraform directory are served",
                              [this] { return run_check(file_); });
    check->add_option("directory", file_, "the directory")->required()->check(CLI::ExistingDirectory);
    command("doctor", "what this machine can and cannot do, and what to install",
            [this] { return run_doctor(state_); });
    command("faults", "the points at which a test can end the daemon or the keeper", [] {
      for (const std::string_view point : brume::kFaultPoints) std::printf("%s\n", std::string(point).c_str());
      return 0;
    })->group("");  // not shown
    command("keys", "how many keys of each kind the store of a cloud that is down has", [this] {
      return run_keys(state_);
    })->group("");  // not shown
  }

  static constexpr int kWrongWords = 2;  // the exit code, as other commands have it
  CLI::App app_;
  const std::string word_;
  std::function<int()> action_;
  UpOptions up_;
  AuditOptions audit_;
  ExecOptions exec_;
  std::optional<double> speed_;
  const CLI::Range kSpeeds{brume::CloudClock::kSlowest, brume::CloudClock::kFastest};
  std::string state_, name_, file_, repository_, region_;
  std::vector<std::string> words_;
  bool all_ = false, delete_ = false, yes_ = false, json_ = false, follow_ = false;
};

}  // namespace

int main(int count, char** arguments) {
  try {
    // The keeper is another program in the same file: it parses its own options.
    if (count > 1 && std::string_view(arguments[1]) == "keep") return brume::keeper_main(count - 2, arguments + 2);
    // What begins a container whose programs follow the cloud's clock (planes/containers).
    if (count > 1 && std::string_view(arguments[1]) == "follow")
      return brume::time::follow_main(count - 2, arguments + 2);
    return CommandLine(command_word(count, arguments)).run(count, arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "brume: %s\n", error.what());
    return 1;
  }
}

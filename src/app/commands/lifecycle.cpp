// up, down and status.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <stdexcept>
#include <thread>

#include "app/admin_client.h"
#include "app/commands/commands.h"
#include "app/commands/status_text.h"
#include "app/daemon.h"
#include "core/system.h"

namespace brume::app {
namespace {

// Runs the daemon in a session of its own, so that the terminal's end is not its end.
int run_detached(const UpOptions& options, const Instance& instance) {
  int pipe_ends[2];
  if (pipe2(pipe_ends, O_CLOEXEC) != 0) throw std::runtime_error(std::strerror(errno));
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error(std::strerror(errno));
  if (child == 0) {
    close(pipe_ends[0]);
    setsid();
    // Whoever reads what the caller prints, by whatever descriptor, is not kept waiting for the daemon's end.
    const auto ready = static_cast<unsigned>(pipe_ends[1]);
    if (ready > 3) close_range(3, ready - 1, 0);
    close_range(ready + 1, ~0U, 0);
    const int nothing = open("/dev/null", O_RDWR);
    dup2(nothing, 0);
    dup2(nothing, 1);
    // What a library or a failed check prints is not lost.
    const int log = open(instance.log_file().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    dup2(log >= 0 ? log : nothing, 2);
    const int result = run_daemon(options, instance, [&](const std::string& problem) {
      const std::string text = problem.empty() ? "ok" : problem;
      [[maybe_unused]] const ssize_t written = write(pipe_ends[1], text.data(), text.size());
      close(pipe_ends[1]);
    });
    _exit(result);
  }
  close(pipe_ends[1]);
  const std::string outcome = read_to_end(pipe_ends[0]);  // "ok", or why it did not start
  close(pipe_ends[0]);
  if (outcome == "ok") return 0;
  int status = 0;
  waitpid(child, &status, 0);
  throw std::runtime_error(outcome.empty() ? "the daemon ended while it started; see " + instance.log_file() : outcome);
}

// The foreground's live status: one line, drawn anew each second on a terminal, until the process ends.
void show_live(const Instance& instance) {
  while (isatty(STDOUT_FILENO) != 0) {
    const auto answer = admin_call(instance, "GET", "/status");
    if (!answer) return;
    std::printf("\r\033[K%s", render_line(boost::json::parse(answer->body)).c_str());
    std::fflush(stdout);
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

void greet(const Instance& instance) {
  const auto answer = admin_call(instance, "GET", "/status");
  if (answer) std::fputs(render_greeting(boost::json::parse(answer->body)).c_str(), stdout);
  std::fflush(stdout);
}

}  // namespace

int run_up(const UpOptions& options) {
  const Instance instance = open_instance(state_directory(options.state));
  if (admin_call(instance, "GET", "/status")) {
    std::printf("the cloud in %s is up already\n", instance.state.c_str());
    greet(instance);
    return 0;
  }
  if (options.detach) {
    const int result = run_detached(options, instance);
    greet(instance);
    return result;
  }
  return run_daemon(options, instance, [&](const std::string& problem) {
    if (!problem.empty()) throw std::runtime_error(problem);
    // The daemon answers on another thread: greeting from here would wait for ourselves.
    std::thread([instance] {
      greet(instance);
      std::printf("Ctrl-C stops the daemon; what runs in the cloud goes on until brume down.\n");
      std::fflush(stdout);
      show_live(instance);
    }).detach();
  });
}

int run_down(const std::string& state, bool remove, bool yes) {
  const Instance instance = find_instance(state_directory(state));
  if (remove && !yes) {
    std::printf("This deletes everything in %s. Type the instance's id (%s) to go on: ", instance.state.c_str(),
                instance.id.c_str());
    std::fflush(stdout);
    std::string typed;
    if (!std::getline(std::cin, typed) || typed != instance.id) throw std::runtime_error("nothing was deleted");
  }
  stop_instance(instance);
  if (remove) std::filesystem::remove_all(instance.state);
  std::printf("%s\n", remove ? "the cloud is down and its state is gone" : "the cloud is down; its state stays");
  return 0;
}

int run_status(const std::string& state, bool json) {
  const Instance instance = find_instance(state_directory(state));
  const std::string status = ask_daemon(instance, "GET", "/status");
  if (json)
    std::printf("%s\n", status.c_str());
  else
    std::fputs(render_status(boost::json::parse(status)).c_str(), stdout);
  return 0;
}

}  // namespace brume::app

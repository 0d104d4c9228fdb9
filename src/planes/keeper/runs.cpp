#include "planes/keeper/runs.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <utility>

namespace brume::keeper {

void Runs::run(const RunSpec& spec, Reply reply) {
  ProcessSpec process_spec;
  process_spec.arguments = spec.arguments;
  process_spec.environment = spec.environment;
  process_spec.directory = spec.directory;
  process_spec.network_namespace = spec.network_namespace;
  process_spec.binds = spec.binds;
  Process process = start_process(process_spec, [this](pid_t pid) { registry_.add(pid); });
  if (process.pid == 0) {
    RunResult result;
    result.error = process.error;
    reply(std::move(result));
    return;
  }
  Run& run = *runs_.emplace_back(std::make_unique<Run>());
  run.pid = process.pid;
  run.pid_file = spec.pid_file;
  run.limit = spec.output_limit_bytes;
  run.reply = std::move(reply);
  watch(run, run.outputs[0], std::move(process.output));
  watch(run, run.outputs[1], std::move(process.err));
  run.timer = poller_.after(std::chrono::milliseconds(spec.timeout_ms), [this, &run] {
    run.timer = 0;
    run.result.timed_out = true;
    kill(run);
  });
}

void Runs::watch(Run& run, Output& output, Descriptor pipe) {
  output.pipe = std::move(pipe);
  output.token = poller_.add(output.pipe.get(), EPOLLIN, [this, &run, &output](std::uint32_t) { read(run, output); });
}

void Runs::read(Run& run, Output& output) {
  std::array<char, 65'536> buffer;
  if (!output.pipe) return;
  const ssize_t got = ::read(output.pipe.get(), buffer.data(), buffer.size());
  if (got > 0) {
    const auto room = static_cast<std::size_t>(run.limit) - std::min<std::size_t>(run.limit, output.text.size());
    output.text.append(buffer.data(), std::min(room, static_cast<std::size_t>(got)));
  } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
    poller_.remove(output.token);
    output.pipe.reset();
  }
}

void Runs::kill(Run& run) {
  if (!run.pid_file.empty()) {
    std::ifstream file(run.pid_file);
    pid_t pid = 0;
    if (file >> pid && pid > 1) ::kill(pid, SIGKILL);
  }
  ::kill(-run.pid, SIGKILL);
  ::kill(run.pid, SIGKILL);
}

bool Runs::reaped(pid_t pid, int wait_status) {
  const auto found = std::ranges::find_if(runs_, [&](const auto& run) { return run->pid == pid; });
  if (found == runs_.end()) return false;
  registry_.remove(pid);
  const std::unique_ptr<Run> run = std::move(*found);
  runs_.erase(found);
  poller_.cancel(run->timer);
  for (Output& output : run->outputs) {
    // What it wrote before its end is in the pipe, which holds 64 KiB; a grandchild that still writes is not waited
    // for.
    for (int i = 0; i < 4; ++i) read(*run, output);
    poller_.remove(output.token);
  }
  RunResult& result = run->result;
  result.out = std::move(run->outputs[0].text);
  result.err = std::move(run->outputs[1].text);
  if (WIFSIGNALED(wait_status)) result.signal = WTERMSIG(wait_status);
  if (WIFEXITED(wait_status) && !result.timed_out) result.code = WEXITSTATUS(wait_status);
  run->reply(std::move(result));
  return true;
}

void Runs::kill_all() {
  for (const auto& run : runs_) kill(*run);
}

}  // namespace brume::keeper

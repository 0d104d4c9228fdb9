// The keeper: one process per instance, parent and subreaper of every data-plane process. The daemon speaks to it over
// a unix socket, so that it can die and come back while its children run on. This is the daemon's side; calls are made
// on the control thread, callbacks come on the control thread. See docs/decisions for why (DECISIONS 1).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace brume {

enum class Stream : std::uint8_t { out, err };

struct SpawnSpec {
  std::string id;     // unique among living children: "haproxy/LB", "nft/VPC", "task/TASK/CONTAINER"
  std::string owner;  // ownership label for recovery: plane and resource
  std::vector<std::string> arguments;
  std::vector<std::string> environment;  // "NAME=value", the whole environment
  std::string directory = "/";
  std::string network_namespace;  // path entered before exec; empty: the keeper's own (never for data-plane processes)
  std::uint32_t uid = 0, gid = 0;
  std::vector<std::string> ambient_capabilities;  // "CAP_NET_BIND_SERVICE"
  enum class Output { null, lines, file } output = Output::lines;
  std::string output_file;  // for Output::file: appended
  bool input_pipe = false;  // standard input is a pipe that write_input feeds
  // For programs that start another process and go (runc run -d): the file where they leave the pid of the process to
  // watch. The child's life is then that process's life; the program's own failure (non-zero exit) ends it as well.
  std::string pid_file;
};

struct ExitStatus {
  int code = 0;    // when it exited
  int signal = 0;  // when a signal ended it
  std::int64_t at_ms = 0;
};

struct Child {
  std::string id, owner;
  int pid = 0;
  bool running = false;
  ExitStatus exit;  // when it no longer runs
  std::int64_t started_ms = 0;
};

class Keeper {
 public:
  virtual ~Keeper() = default;

  struct Spawned {
    int pid = 0;        // 0: it could not be started
    std::string error;  // why, with the program's standard error for a pid_file child
  };
  virtual void spawn(SpawnSpec spec, std::function<void(Spawned)> done) = 0;
  virtual void signal(const std::string& id, int signal) = 0;  // unknown or dead: nothing happens
  virtual void write_input(const std::string& id, std::string bytes) = 0;
  // Forgets a dead child and its spooled output; its id can be used again.
  virtual void forget(const std::string& id) = 0;

  // Every child the keeper knows, dead ones that were not forgotten included. Asked once at start (recover).
  virtual void list(std::function<void(std::vector<Child>)> done) = 0;

  // Exits and output lines, in order, those of the daemon's absence first. Delivered at least once until acknowledged:
  // the daemon acknowledges output when the line is committed.
  virtual void on_exit(std::function<void(const Child&)> callback) = 0;
  struct Line {
    std::string id;
    Stream stream = Stream::out;
    std::int64_t at_ms = 0;
    std::uint64_t sequence = 0;  // grows by one per line of a child
    std::string text;            // without the line end; at most 256 KiB, longer lines are split
  };
  virtual void on_lines(std::function<void(std::vector<Line>)> callback) = 0;
  virtual void acknowledge(const std::string& id, std::uint64_t sequence) = 0;

  // A datagram socket that the keeper owns at `path` (HAProxy's log); messages are delivered, and kept while the daemon
  // is away.
  virtual void open_log_socket(const std::string& path, std::string id) = 0;
  virtual void close_log_socket(const std::string& id) = 0;
};

}  // namespace brume

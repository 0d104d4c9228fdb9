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

// A file or directory that one program sees in another's place: bind-mounted in a mount namespace of its own.
struct Bind {
  std::string source, target;
  bool read_only = false;
  bool operator==(const Bind&) const = default;
};

struct SpawnSpec {
  std::string id;     // unique among living children: "haproxy/LB", "nft/VPC", "task/TASK/CONTAINER"
  std::string owner;  // ownership label for recovery: plane and resource
  std::vector<std::string> arguments;
  std::vector<std::string> environment;  // "NAME=value", the whole environment
  std::string directory = "/";
  // A path as the daemon sees it, entered before exec; empty: the keeper's own (never for data-plane processes).
  std::string network_namespace;
  std::uint32_t uid = 0, gid = 0;
  std::vector<std::string> ambient_capabilities;  // "CAP_NET_BIND_SERVICE"
  enum class Output { null, lines, file } output = Output::lines;
  std::string output_file;  // for Output::file: appended
  bool input_pipe = false;  // standard input is a pipe that write_input feeds
  // For programs that start another process and go (runc run -d): the file where they leave the pid of the process to
  // watch. The child's life is then that process's life; the program's own failure (non-zero exit) ends it as well.
  std::string pid_file;
  std::vector<Bind> binds;
};

// A program that is run to its end (runc exec, skopeo).
struct RunSpec {
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
  std::string directory = "/";
  std::string network_namespace;
  std::vector<Bind> binds;
  // Where the program leaves the pid of a process that it waits for: killed with it when the time is up, since the
  // program's own death would not end it (runc exec --pid-file).
  std::string pid_file;
  std::int64_t timeout_ms = 60'000;
  std::uint64_t output_limit_bytes = 65'536;  // of each stream; what comes after is dropped
};

struct RunResult {
  int code = -1;   // -1: it was not started, was ended by a signal, or ran out of time
  int signal = 0;  // when a signal ended it
  bool timed_out = false;
  std::string out, err;
  std::string error;  // why it was not started
};

struct OverlayMount {
  std::vector<std::string> layers;  // directories, lowest first
  std::string upper, work, target;  // existing directories
  bool operator==(const OverlayMount&) const = default;
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
  // `signal` now, SIGKILL when it has not ended `grace_ms` later, whether the daemon is there or not.
  virtual void stop(const std::string& id, int signal, std::int64_t grace_ms) = 0;
  virtual void write_input(const std::string& id, std::string bytes) = 0;
  // Forgets a dead child and its spooled output; its id can be used again.
  virtual void forget(const std::string& id) = 0;

  virtual void run(RunSpec spec, std::function<void(RunResult)> done) = 0;

  // Mounts live in the keeper's own mount namespace: programs that it starts see them, the host does not, and they
  // outlive the daemon. "" on success, else why not.
  virtual void mount_overlay(OverlayMount mount, std::function<void(std::string error)> done) = 0;
  // Detaches whatever is mounted at `path` or below it. Nothing there is no error.
  virtual void unmount(const std::string& path, std::function<void(std::string error)> done) = 0;

  // Every child the keeper knows, dead ones that were not forgotten included. Asked once at start (recover).
  virtual void list(std::function<void(std::vector<Child>)> done) = 0;

  // Exits and output lines, in order, those of the daemon's absence first; a child's exit comes after its last line.
  // Each callback is told of every child: a plane picks its own by id. An exit is told again to the next daemon until
  // the child is forgotten. Lines are delivered at least once until acknowledged (the daemon acknowledges when the line
  // is committed): 4 MiB of a child's unacknowledged lines are delivered, 64 MiB are kept, then lines are dropped and a
  // line says how many. Whoever spawns with Output::lines must acknowledge.
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

  // A datagram socket that the keeper owns at `path` (HAProxy's log); messages are delivered as lines of `id`, and kept
  // while the daemon is away. Opening one that is open already is no error.
  virtual void open_log_socket(const std::string& path, std::string id) = 0;
  virtual void close_log_socket(const std::string& id) = 0;
};

}  // namespace brume

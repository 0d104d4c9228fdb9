// The keeper's children: started, fed, listened to, ended, remembered until they are forgotten. The keeper's only
// thread.
#pragma once

#include <sys/types.h>

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "planes/keeper/keeper.h"
#include "planes/keeper/outbox.h"
#include "planes/keeper/poller.h"
#include "planes/keeper/process.h"
#include "planes/keeper/registry.h"

namespace brume::keeper {

std::int64_t now_ms();

class Children {
 public:
  using Reply = std::function<bool(Keeper::Spawned)>;  // false: who asked is gone
  Children(Poller& poller, Outbox& outbox, Registry& registry)
      : poller_(poller), outbox_(outbox), registry_(registry) {}

  // The spec's network namespace is a path that this process sees.
  void spawn(const SpawnSpec& spec, Reply reply);
  void signal(const std::string& id, int signal);
  void stop(const std::string& id, int signal, std::int64_t grace_ms);
  void write_input(const std::string& id, std::string_view bytes);
  void forget(const std::string& id);
  std::vector<Child> list();

  // A process has ended, as waitpid told.
  void reaped(pid_t pid, int wait_status);
  void kill_all();
  bool any_running() const;

 private:
  struct Output {
    Descriptor pipe;
    Poller::Token token = 0;
    Stream stream = Stream::out;
    LineCutter cutter;
  };
  struct EarlyStop {
    int signal = 0;
    std::int64_t grace_ms = 0;
  };
  struct Entry {
    Child child;
    std::string pid_file;
    // A pid_file child whose program has not ended yet: the process to watch is not known.
    bool starting = false;
    bool listed_starting = false;  // a daemon was told meanwhile that it runs
    pid_t program = 0;
    std::string program_errors;
    Reply reply;
    std::optional<EarlyStop> early_stop;

    std::array<Output, 2> outputs;
    Descriptor input;
    std::string input_queue;
    Poller::Token input_token = 0;
    Poller::Token kill_timer = 0;
    Outbox::Feed* feed = nullptr;
  };

  Entry* find(const std::string& id);
  void watch_output(Entry& entry, Output& output, Descriptor pipe);
  void read_output(Entry& entry, Output& output);
  void emit(Entry& entry, Stream stream, std::string_view line);
  void drain(Entry& entry);
  void finish_lines(Entry& entry);
  void flush_input(Entry& entry);
  void close_input(Entry& entry);
  void program_ended(Entry& entry, int wait_status);
  void ended(Entry& entry, int wait_status);
  void remove(const std::string& id);

  Poller& poller_;
  Outbox& outbox_;
  Registry& registry_;
  std::map<std::string, std::unique_ptr<Entry>> entries_;
  // Ends of processes that nobody is known to own while some program still starts one: the process that it leaves
  // behind may be reaped before the program itself.
  std::map<pid_t, int> unclaimed_;
};

}  // namespace brume::keeper

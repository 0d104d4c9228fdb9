// Starting a program: everything between fork and exec. Called on the keeper's only thread, so that the child may
// prepare itself with ordinary calls.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "planes/keeper/keeper.h"

namespace brume::keeper {

// A descriptor that is closed when its owner goes.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    reset(other.release());
    return *this;
  }
  ~Descriptor() { reset(); }
  int get() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }
  int release() {
    const int number = number_;
    number_ = -1;
    return number;
  }
  void reset(int number = -1);

 private:
  int number_ = -1;
};

struct ProcessSpec {
  std::vector<std::string> arguments, environment;
  std::string directory = "/";
  std::string network_namespace;  // as this process sees it
  std::uint32_t uid = 0, gid = 0;
  std::vector<std::string> ambient_capabilities;
  std::vector<Bind> binds;
  bool input_pipe = false;                              // else /dev/null
  SpawnSpec::Output output = SpawnSpec::Output::lines;  // lines: two pipes
  std::string output_file;
};

struct Process {
  pid_t pid = 0;
  std::string error;              // why it could not be started, when pid is 0
  Descriptor input, output, err;  // this side of the pipes, non-blocking
};

// The program leads a session of its own, so that its process group can be signalled. `note` is told of the process
// before it does anything: should this one be killed meanwhile, the process ends by itself, or is known.
Process start_process(const ProcessSpec& spec, const std::function<void(pid_t)>& note);

// "CAP_NET_BIND_SERVICE" → 10, or -1.
int capability_number(const std::string& name);

}  // namespace brume::keeper

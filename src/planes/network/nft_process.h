// One long-lived `nft -i` inside a namespace: each line it is given is one atomic transaction (DECISIONS 3). It holds
// no state and ends with the daemon, since its input then ends. Blocking; used on the plane's kernel thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "planes/network/descriptor.h"
#include "planes/network/namespaces.h"

namespace brume::network {

class NftProcess {
 public:
  NftProcess(const Namespaces& namespaces, std::string name) : namespaces_(namespaces), name_(std::move(name)) {}
  ~NftProcess() { stop(); }
  NftProcess(const NftProcess&) = delete;
  NftProcess& operator=(const NftProcess&) = delete;

  // Runs a line and returns what it printed. Starts the process when there is none or it has died.
  // Throws PlaneError{permanent} with nft's message when nft refuses the line (nothing of it is done then), {transient}
  // when the process could not be started or died over it.
  std::string run(const std::string& line);
  pid_t pid() const { return pid_; }

 private:
  void start();
  void stop();
  bool alive() const;
  void send(const std::string& bytes);
  std::string answer(const std::string& marker);

  const Namespaces& namespaces_;
  const std::string name_;
  Descriptor stream_;
  pid_t pid_ = 0;
  std::uint64_t commands_ = 0;
  std::size_t fed_bytes_ = 0;
};

// The message in an answer of nft's, with the statement it is about; "" when there is none.
std::string nft_error(const std::string& line, const std::string& answer);

}  // namespace brume::network

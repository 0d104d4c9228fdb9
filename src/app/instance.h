// One cloud on this machine: its state directory, its run directory, and how the command line finds its daemon.
#pragma once

#include <string>

namespace brume::app {

// Where an instance keeps what. The id is made with the state directory and never changes.
struct Instance {
  std::string state;  // absolute
  std::string id;     // six hex digits
  std::string run;    // /run/brume/ID for root, else under XDG_RUNTIME_DIR

  std::string store() const { return state + "/store"; }
  std::string clock() const { return state + "/clock"; }
  std::string authority() const { return state + "/ca"; }
  std::string spool() const { return state + "/spool"; }
  std::string objects() const { return state + "/objects"; }
  std::string images() const { return state + "/images"; }
  std::string log_file() const { return state + "/brume.log"; }
  std::string admin_socket() const { return run + "/admin.sock"; }
  std::string internet_namespace() const { return run + "/netns/internet"; }
};

// `option`, else $BRUME_STATE, else /var/lib/brume for root, else the XDG state directory's brume.
std::string state_directory(const std::string& option);
// Makes the directories and the id when they are absent. Throws std::runtime_error with what to do.
Instance open_instance(const std::string& state);
// The instance of a state directory that exists. Throws std::runtime_error when there is none.
Instance find_instance(const std::string& state);

// The daemon's own address for the internet namespace's DNS and endpoints.
inline constexpr const char* kDnsAddress = "198.18.0.1";
inline constexpr const char* kEndpointAddress = "198.18.0.2";

}  // namespace brume::app

// Named network namespaces: bind mounts below RUN/netns, so that they outlive the daemon. Used on the plane's kernel
// thread, which alone changes its namespace. Throws PlaneError.
#pragma once

#include <string>
#include <vector>

#include "planes/network/descriptor.h"

namespace brume::network {

// What a namespace is for decides its settings.
enum class NamespaceKind { internet, router, sandbox };

class Namespaces {
 public:
  explicit Namespaces(std::string run_directory) : directory_(std::move(run_directory) + "/netns") {}

  // Makes RUN/netns, a mount of its own that is shared: namespaces made later are seen in the keeper's mount namespace.
  void prepare() const;
  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  // Those that are alive. Files without a namespace (left by a machine's restart) are removed.
  std::vector<std::string> list() const;
  bool exists(const std::string& name) const;
  // Made with its kernel settings; nothing but "lo" is in it. There is no moment at which it has its name but not them.
  void create(const std::string& name, NamespaceKind kind) const;
  Descriptor open(const std::string& name) const;  // throws PlaneError{not_found}
  void remove(const std::string& name) const;      // an absent one is no error
  void remove_directory() const;

 private:
  std::string directory_;
};

// The calling thread is in that namespace as long as this lives.
class Entered {
 public:
  explicit Entered(const Descriptor& name_space);
  ~Entered();
  Entered(const Entered&) = delete;
  Entered& operator=(const Entered&) = delete;

 private:
  Descriptor home_;
};

// Leaves the namespace the thread was born in (the host's) for an empty one, so that a slip touches nothing of the
// host's network.
void leave_host_namespace();

// Writes a setting of the thread's present namespace: "net/ipv4/ip_forward". An absent one is no error.
void write_setting(const std::string& name, const std::string& value);

}  // namespace brume::network

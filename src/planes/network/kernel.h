// The kernel's objects: read into values, and changed as a plan says. Runs on the plane's kernel thread. Throws
// PlaneError.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "planes/network/namespaces.h"
#include "planes/network/topology.h"

namespace brume::network {

// What of ours is in a namespace: links, their addresses, and the routes and rules that carry our protocol number.
// Links have no peers yet.
NamespaceState observe(const Namespaces& namespaces, const std::string& name);
// Finds the two ends of each of a router's pairs by their labels.
void pair_links(Topology& topology, const std::string& router);

// Carries the changes out in their order and says how many the kernel was asked for. Objects that are gone already are
// no error. When it throws, a part has been done: observe again.
std::size_t carry_out(const Namespaces& namespaces, const std::vector<Change>& changes);

// The label of a namespace's "lo": a sandbox's VPC, a router's resolver address; "" when it was never finished.
std::string loopback_label(const Namespaces& namespaces, const std::string& name);

NamespaceKind kind_of(const std::string& name);

}  // namespace brume::network

// Named places where a test ends this process as kill -9 does: nothing is flushed, no destructor runs. Armed by the
// environment variable BRUME_FAULT alone, and then once per cloud; otherwise a point costs one predicted branch.
// Any thread. `brume faults` prints the list, so that a test can go through all of them and see that each is reached.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace brume {

// In the order of their layers. A point is named after the moment that it stands for.
inline constexpr std::array kFaultPoints = std::to_array<std::string_view>({
    "instance.named",              // a new state directory has its id, and nothing else
    "store.created",               // a new database has no format yet
    "store.write",                 // a batch is about to be written
    "store.written",               // it is written, and nothing of it has begun
    "store.sync",                  // --durable: a group is written and not yet on disk
    "store.synced",                // --durable: it is on disk, and nobody has been told
    "store.erasing",               // a deletion is committed, what it leaves unreachable is still there
    "front.committed",             // between a request's commit and its answer
    "front.received",              // a body is whole in its spool, and nobody has asked for it
    "s3.body.kept",                // an object's body is in its place, its record is not written
    "s3.body.discarded",           // a body that nothing refers to is about to go
    "ecr.layer.stored",            // a layer's blob is stored, its record is not
    "images.unpack.file",          // in the middle of the unpacking of a layer
    "images.unpack.done",          // a layer is unpacked beside its place
    "network.namespace.unbound",   // a namespace is made and has no name
    "network.namespace.made",      // it has its name, and nothing in it
    "network.links.sent",          // some links and routes of a change are made
    "network.nft.sent",            // nft has a transaction, its answer was not read
    "network.nft.done",            // the rules are loaded, the links are not made
    "network.namespace.removing",  // a namespace is about to go with its interface
    "containers.sandbox.made",     // a task's directories and limits are there, no container
    "containers.bundle.made",      // a container's files are there, nothing is mounted
    "containers.launched",         // the keeper was asked for the mount and the start, nobody waits for the answer
    "containers.started",          // the container runs, its record does not say so
    "containers.ended",            // its end was told, its record does not say so
    "containers.unmounted",        // its root is unmounted, its files and limits are still there
    "balancer.files.written",      // the configuration is written, no HAProxy was asked for
    "balancer.spawned",            // HAProxy is started, nobody has said so
    "balancer.reload",             // it is asked to reload
    "balancer.target",             // in the middle of a change of targets
    "ecs.interface.made",          // a task's interface is recorded
    "ecs.targets.changed",         // a task is registered or deregistered with its load balancer
    "ecs.deployment",              // a step of a deployment is recorded
    "elbv2.active",                // a load balancer serves, and is about to be called active
    "logs.lines.kept",             // a task's lines are stored, the keeper does not know
    "cloud.network.recovered",     // in the middle of a start: the network was taken over, services were not
    "keeper.forked",               // a child was started and nobody knows of it
    "keeper.noted",                // it is noted for a later keeper, and was not answered for
    "keeper.mounted",              // a root is mounted, and was not answered for
    "keeper.left",                 // a program left a process behind that is not noted
    "keeper.reaped",               // a child has ended, and nobody was told
});

// An unlisted name does not compile.
class FaultPoint {
 public:
  consteval FaultPoint(const char* name) : index_(index_of(name)) {}  // NOLINT(google-explicit-constructor)
  std::size_t index() const { return index_; }

 private:
  static consteval std::size_t index_of(std::string_view name) {
    const auto* const found = std::ranges::find(kFaultPoints, name);
    if (found == kFaultPoints.end()) throw "not in kFaultPoints";
    return static_cast<std::size_t>(found - kFaultPoints.begin());
  }
  std::size_t index_;
};

namespace fault_detail {
extern const bool armed;
void reached(std::size_t index);
}  // namespace fault_detail

// BRUME_FAULT is "POINT HIT FILE": at the HIT-th time (from 1) that a process comes to POINT it makes FILE, with its
// pid, and is killed; when FILE is there already nothing happens, so that what is started anew goes on. With
// "hold POINT FILE" a thread that comes to POINT while FILE is there makes FILE.reached and waits until FILE is gone.
// With "trace FILE" each point that is reached adds a line with its name.
inline void fault_point(FaultPoint point) {
  if (fault_detail::armed) [[unlikely]]
    fault_detail::reached(point.index());
}

}  // namespace brume

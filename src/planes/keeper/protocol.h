// What the daemon and the keeper say to each other over RUN/keeper.sock. The daemon says hello first; requests carry a
// number that their reply repeats.
#pragma once

#include <concepts>
#include <cstdint>

#include "planes/keeper/keeper.h"
#include "planes/keeper/wire.h"

namespace brume::keeper {

inline constexpr std::uint32_t kProtocolVersion = 1;

enum class Message : std::uint8_t {
  // From the daemon.
  hello,            // version
  spawn,            // request, SpawnSpec → Spawned
  run,              // request, RunSpec → RunResult
  list,             // request → vector<Child>
  mount_overlay,    // request, OverlayMount → error
  unmount,          // request, path → error
  signal,           // id, signal
  stop,             // id, signal, grace_ms
  input,            // id, bytes
  forget,           // id
  acknowledge,      // id, sequence
  open_log_socket,  // path, id
  close_log_socket,
  shut_down,  // ends every child and the keeper; the connection's end is the answer
  // From the keeper.
  welcome,   // version, pid, incarnation
  replaced,  // another daemon has connected; this connection ends
  reply,     // request, the answer
  exit,      // Child
  lines      // id, records of a spool
};

template <class T, class Plain>
concept Either = std::same_as<std::remove_const_t<T>, Plain>;

void fields(auto& archive, Either<Bind> auto& bind) { archive(bind.source, bind.target, bind.read_only); }
void fields(auto& archive, Either<SpawnSpec> auto& spec) {
  archive(spec.id, spec.owner, spec.arguments, spec.environment, spec.directory, spec.network_namespace, spec.uid,
          spec.gid, spec.ambient_capabilities, spec.output, spec.output_file, spec.input_pipe, spec.pid_file,
          spec.binds);
}
void fields(auto& archive, Either<RunSpec> auto& spec) {
  archive(spec.arguments, spec.environment, spec.directory, spec.network_namespace, spec.binds, spec.pid_file,
          spec.timeout_ms, spec.output_limit_bytes);
}
void fields(auto& archive, Either<RunResult> auto& result) {
  archive(result.code, result.signal, result.timed_out, result.out, result.err, result.error);
}
void fields(auto& archive, Either<OverlayMount> auto& mount) {
  archive(mount.layers, mount.upper, mount.work, mount.target);
}
void fields(auto& archive, Either<ExitStatus> auto& exit) { archive(exit.code, exit.signal, exit.at_ms); }
void fields(auto& archive, Either<Child> auto& child) {
  archive(child.id, child.owner, child.pid, child.running, child.exit, child.started_ms);
}
void fields(auto& archive, Either<Keeper::Spawned> auto& spawned) { archive(spawned.pid, spawned.error); }

}  // namespace brume::keeper

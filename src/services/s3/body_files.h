// Bodies of objects and parts, each immutable and named by a random id: the small ones in the store, the others in a
// file each. What is on disk and what records refer to never part: a file's id is written down as unreferenced, in the
// store, before it is made and in the transaction that lets go of it, so that a start after kill -9 knows exactly which
// files are left over. Control thread; the functions that touch files say so.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/file_body.h"
#include "core/random.h"
#include "core/runtime.h"
#include "store/keyspace.h"

namespace brume::s3 {

// Up to here a body is cheaper to write and to read beside its record than as a file.
inline constexpr std::uint64_t kLargestStoredBody = 16 * 1024;

class BodyFiles {
 public:
  BodyFiles(Store& store, Random& random, Workers& workers, std::string directory);

  // Removes the files that a process before this one left over.
  void sweep();

  // A new id whose file may be made once the transaction has been committed.
  std::string prepare(Tx& tx);
  // Keeps a small body in the store, with the transaction. Its id.
  std::string keep(Tx& tx, std::string bytes);
  static bool is_stored(const std::string& id) { return id.starts_with('s'); }
  std::string stored(const std::string& id) const;

  // A record refers to it from now on.
  void adopt(Tx& tx, const std::string& id);
  // No record refers to it any more: its file goes after the commit, when nobody is being sent it.
  void discard(Tx& tx, const std::string& id);
  void discard(Tx& tx, std::vector<std::string> ids);
  // Of prepared ones that came to nothing.
  void abandon(const std::vector<std::string>& ids);

  // Of `size` bytes from `offset`; keeps the file from going until the body was sent.
  Body read(const std::string& id, std::uint64_t offset, std::uint64_t size);
  std::shared_ptr<SpoolFile> hold(const std::string& id);

  std::string path(const std::string& id) const;  // any thread
  bool synced() const { return synced_; }         // files must be synced before they are referred to

 private:
  void remove(std::vector<std::string> ids);
  Store& store_;
  Random& random_;
  Workers& workers_;
  std::string directory_;
  bool synced_;
  Keyspace unreferenced_;
  Keyspace stored_;
  // Bodies that are being sent, by id.
  std::map<std::string, std::weak_ptr<SpoolFile>> held_;
  std::size_t purge_at_ = 64;
};

}  // namespace brume::s3

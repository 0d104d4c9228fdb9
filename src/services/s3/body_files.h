// Bodies of objects and parts: one immutable file each, named by a random id. What is on disk and what records refer to
// never part: an id is written down as unreferenced, in the store, before its file is made and in the transaction that
// lets go of it, so that a start after kill -9 knows exactly which files are left over. Control thread; the functions
// that touch files say so.
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

class BodyFiles {
 public:
  BodyFiles(Store& store, Random& random, Workers& workers, std::string directory);

  // Removes the files that a process before this one left over.
  void sweep();

  // A new id whose file may be made once the transaction has been committed.
  std::string prepare(Tx& tx);
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
  // Bodies that are being sent, by id.
  std::map<std::string, std::weak_ptr<SpoolFile>> held_;
  std::size_t purge_at_ = 64;
};

}  // namespace brume::s3

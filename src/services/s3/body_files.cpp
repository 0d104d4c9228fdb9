#include "services/s3/body_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include "core/fault.h"
#include "core/log.h"

namespace brume::s3 {

BodyFiles::BodyFiles(Store& store, Random& random, Workers& workers, std::string directory)
    : store_(store),
      random_(random),
      workers_(workers),
      directory_(std::move(directory)),
      synced_(store.durability() == Durability::power_loss),
      unreferenced_(store, "s3.unreferenced"),
      stored_(store, "s3.body") {}

void BodyFiles::sweep() {
  std::vector<std::string> ids;
  unreferenced_.scan(*unreferenced_.snapshot(), {}, {}, [&](std::string_view id, std::string_view) {
    ids.emplace_back(id);
    return true;
  });
  if (!ids.empty()) log::info("s3", "removing " + std::to_string(ids.size()) + " bodies that nothing refers to");
  remove(std::move(ids));
}

std::string BodyFiles::prepare(Tx& tx) {
  std::string id = random_.hex(32);
  unreferenced_.put(tx, id, {});
  return id;
}

std::string BodyFiles::keep(Tx& tx, std::string bytes) {
  std::string id = "s" + random_.hex(32);
  stored_.put(tx, id, std::move(bytes));
  return id;
}

std::string BodyFiles::stored(const std::string& id) const {
  std::optional<std::string> bytes = stored_.get(id);
  if (!bytes) throw StoreError("the body " + id + " is missing");
  return *std::move(bytes);
}

void BodyFiles::adopt(Tx& tx, const std::string& id) {
  if (!id.empty() && !is_stored(id)) unreferenced_.erase(tx, id);
}

void BodyFiles::discard(Tx& tx, const std::string& id) {
  if (!id.empty()) discard(tx, std::vector{id});
}

void BodyFiles::discard(Tx& tx, std::vector<std::string> ids) {
  for (const std::string& id : ids) {
    if (is_stored(id)) {
      stored_.erase(tx, id);
    } else {
      unreferenced_.put(tx, id, {});
    }
  }
  std::erase_if(ids, is_stored);
  if (ids.empty()) return;
  tx.on_commit([this, ids = std::move(ids)] { abandon(ids); });
}

void BodyFiles::abandon(const std::vector<std::string>& ids) {
  std::vector<std::string> free;
  for (const std::string& id : ids) {
    const auto found = held_.find(id);
    const std::shared_ptr<SpoolFile> holder = found == held_.end() ? nullptr : found->second.lock();
    if (holder) {
      // Goes with its last reader; its name is struck off at the next start.
      holder->discard();
    } else if (!id.empty()) {
      free.push_back(id);
    }
    if (found != held_.end()) held_.erase(found);
  }
  remove(std::move(free));
}

void BodyFiles::remove(std::vector<std::string> ids) {
  if (ids.empty()) return;
  std::vector<std::string> paths;
  for (const std::string& id : ids) paths.push_back(path(id));
  auto unlink_all = [paths = std::move(paths)] {
    fault_point("s3.body.discarded");
    for (const std::string& file : paths) ::unlink(file.c_str());
  };
  auto strike_off = [this, ids = std::move(ids)] {
    try {
      Tx tx(store_);
      for (const std::string& id : ids) unreferenced_.erase(tx, id);
      tx.commit();
    } catch (const StoreError& error) {
      // The next start tries again.
      log::warning("s3", "removed bodies stay listed: " + error.message);
    }
  };
  // Not before the change that let go of them is durable: a power cut would bring the record back without its body.
  store_.when_durable([this, unlink_all = std::move(unlink_all), strike_off = std::move(strike_off)]() mutable {
    workers_.run(std::move(unlink_all), std::move(strike_off));
  });
}

std::shared_ptr<SpoolFile> BodyFiles::hold(const std::string& id) {
  if (held_.size() >= purge_at_) {
    std::erase_if(held_, [](const auto& entry) { return entry.second.expired(); });
    purge_at_ = std::max<std::size_t>(64, held_.size() * 2);
  }
  std::weak_ptr<SpoolFile>& entry = held_[id];
  std::shared_ptr<SpoolFile> holder = entry.lock();
  if (!holder) {
    holder = std::make_shared<SpoolFile>(path(id), true);
    entry = holder;
  }
  return holder;
}

Body BodyFiles::read(const std::string& id, std::uint64_t offset, std::uint64_t size) {
  Body body;
  body.size = size;
  if (size == 0) return body;
  if (is_stored(id)) {
    body.bytes = stored(id);
    if (size != body.bytes.size()) body.bytes = body.bytes.substr(offset, size);
    return body;
  }
  body.spool = hold(id);
  body.file = body.spool->path();
  body.offset = offset;
  return body;
}

std::string BodyFiles::path(const std::string& id) const { return directory_ + "/" + id.substr(0, 2) + "/" + id; }

}  // namespace brume::s3

#include "services/iam/last_uses.h"

#include "core/log.h"
#include "services/iam/iam.h"

namespace brume::iam {

void LastUses::write_lazily(Control& control, const Clock& clock) {
  control_ = &control;
  clock_ = &clock;
}

void LastUses::arm() {
  if (control_ == nullptr || armed_) return;
  armed_ = true;
  control_->at(clock_->now() + kLaziness, [this] {
    armed_ = false;
    write_when_due();
  });
}

void LastUses::note(const std::string& account, std::string_view id, Time time, std::string_view service,
                    std::string_view region) {
  auto found = noted_.find(id);
  if (found == noted_.end()) {
    found = noted_.emplace(std::string(id), Noted{.account = account, .use = {}}).first;
    arm();
  }
  // Assigned member by member: the strings' memory is there from the last request.
  LastUseRecord& use = found->second.use;
  use.time = time;
  use.service.assign(service);
  use.region.assign(region);
}

const LastUseRecord* LastUses::find(const std::string& account, std::string_view id) const {
  const auto noted = noted_.find(id);
  return noted != noted_.end() ? &noted->second.use : written_.find(global(account), id);
}

void LastUses::erase(Tx& tx, const std::string& account, const std::string& id) {
  written_.erase(tx, global(account), id);
  tx.on_commit([this, id] { noted_.erase(id); });
}

void LastUses::write_batch() {
  Tx tx(store_);
  std::size_t count = 0;
  auto end = noted_.begin();
  for (; end != noted_.end() && count < kBatch; ++end, ++count)
    written_.put(tx, global(end->second.account), end->first, end->second.use);
  tx.commit();
  noted_.erase(noted_.begin(), end);
}

void LastUses::write_rest() {
  while (!noted_.empty()) write_batch();
}

// A batch a turn: requests come between.
void LastUses::write_when_due() {
  if (noted_.empty()) return;
  try {
    write_batch();
  } catch (const StoreError& error) {
    // The disk is full: what was noted stays noted, and is tried again later.
    log::error("iam", "last uses are not written: " + error.message);
    arm();
    return;
  }
  if (!noted_.empty()) control_->post([this] { write_when_due(); });
}

}  // namespace brume::iam

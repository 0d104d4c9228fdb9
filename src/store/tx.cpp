#include "store/tx.h"

#include <utility>

#include "core/error.h"

namespace brume {

Tx::~Tx() {
  if (!ended_) rollback();
}

void Tx::put(std::string key, std::string value) {
  BRUME_CHECK(!ended_);
  changes_.insert_or_assign(std::move(key), std::optional<std::string>(std::move(value)));
}

void Tx::erase(std::string key) {
  BRUME_CHECK(!ended_);
  changes_.insert_or_assign(std::move(key), std::nullopt);
}

std::optional<std::string> Tx::get(std::string_view key) const {
  const auto found = changes_.find(key);
  return found == changes_.end() ? store_.get(key) : found->second;
}

void Tx::on_commit(std::function<void()> function) { commit_functions_.push_back(std::move(function)); }
void Tx::on_rollback(std::function<void()> function) { rollback_functions_.push_back(std::move(function)); }

void Tx::commit() {
  BRUME_CHECK(!ended_);
  Batch batch;
  batch.changes.reserve(changes_.size());
  // The keys are needed no more: on failure only the rollback functions run.
  while (!changes_.empty()) {
    auto node = changes_.extract(changes_.begin());
    batch.changes.push_back({std::move(node.key()), std::move(node.mapped())});
  }
  try {
    if (!batch.changes.empty()) store_.write(batch);
  } catch (...) {
    rollback();
    throw;
  }
  ended_ = true;
  rollback_functions_.clear();
  for (const auto& function : std::exchange(commit_functions_, {})) function();
}

void Tx::rollback() {
  BRUME_CHECK(!ended_);
  ended_ = true;
  changes_.clear();
  commit_functions_.clear();
  while (!rollback_functions_.empty()) {
    rollback_functions_.back()();
    rollback_functions_.pop_back();
  }
}

}  // namespace brume

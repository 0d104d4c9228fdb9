// The beginning of a start, which owns it: the store's files are read, replayed and synced on a thread of their own
// while other things are made.
#pragma once

#include <future>
#include <memory>
#include <string>

#include "store/store.h"

namespace brume {

// open_store in two steps. Here the directory is made and locked, with StoreError if another process has it: from then
// on its owner alone changes what is beside the store. The rest, and its errors, come with the future.
std::future<std::unique_ptr<Store>> begin_opening_store(const std::string& directory, Durability durability);

}  // namespace brume

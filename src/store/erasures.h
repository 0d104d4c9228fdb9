// Ranges of keys that go with what a transaction deletes: a table's items, a stream's events. They are too much for its
// batch; it takes note of them, they are erased after it, and what a kill or a full disk left is erased at the next
// start. Control thread.
#pragma once

#include <string>

#include "store/tx.h"

namespace brume {

// Keys of the store in [from, until). Nothing may be written there before a finish_erasures has returned.
void erase_range_after(Tx& tx, std::string from, std::string until);

// Erases what was noted and is still there: at a start, and before a range that was once erased is used again. Throws
// StoreFull when the disk has no room for it; it stays noted.
void finish_erasures(Store& store);

}  // namespace brume

// What the allocator does with memory that was freed. It keeps it for the next who asks, which is fast, and which after
// large things of many sizes leaves it with several times what is in use. Without effect where the program is linked
// with another allocator than tcmalloc (the sanitizers', the unit tests'). Thread-safe.
#pragma once

namespace brume {

// Whether whole pages go back to the system as soon as they are free.
void give_back_memory_at_once(bool at_once);
// Gives back what is free now.
void give_back_memory();

}  // namespace brume

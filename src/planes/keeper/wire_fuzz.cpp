// Fuzz target: the keeper's protocol. Frames are cut the same however the bytes come; a message that can be read is
// written and read again as itself. The first byte is the size of the pieces.
#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "planes/keeper/protocol.h"
#include "planes/keeper/wire.h"

namespace brume::keeper {
namespace {

struct Cut {
  std::vector<Frame> frames;
  bool refused = false;
};

Cut cut(std::string_view bytes, std::size_t piece) {
  Cut result;
  FrameReader reader;
  try {
    for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
      reader.feed(bytes.substr(0, piece));
      while (auto frame = reader.next()) result.frames.push_back(std::move(*frame));
    }
  } catch (const PlaneError&) {
    result.refused = true;
  }
  return result;
}

template <class Value>
void try_as(std::string_view payload) {
  Value value{};
  try {
    decode(payload, value);
  } catch (const PlaneError&) {
    return;
  }
  const std::string once = encode(value);
  Value again{};
  decode(once, again);
  BRUME_CHECK(encode(again) == once && once.size() <= payload.size());
}

}  // namespace
}  // namespace brume::keeper

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace brume;
  using namespace brume::keeper;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Cut whole = cut(bytes, bytes.size() + 1), pieces = cut(bytes, 1 + data[0] % 16U);
  BRUME_CHECK(whole.refused == pieces.refused && whole.frames.size() == pieces.frames.size());
  std::string joined;
  for (std::size_t i = 0; i < whole.frames.size(); ++i) {
    BRUME_CHECK(whole.frames[i].type == pieces.frames[i].type && whole.frames[i].payload == pieces.frames[i].payload);
    append_frame(joined, whole.frames[i].type, whole.frames[i].payload);
  }
  BRUME_CHECK(bytes.starts_with(joined));
  if (!whole.refused) BRUME_CHECK(bytes.size() - joined.size() < kFrameHead || bytes.size() > joined.size());
  for (const Frame& frame : whole.frames) {
    try_as<SpawnSpec>(frame.payload);
    try_as<RunSpec>(frame.payload);
    try_as<RunResult>(frame.payload);
    try_as<OverlayMount>(frame.payload);
    try_as<Child>(frame.payload);
    try_as<Keeper::Spawned>(frame.payload);
  }
  return 0;
}

// CBOR as clients send it (RFC 8949, "Smithy RPC v2 CBOR protocol"): indefinite lengths, floats of any width, tags.
// Records have a smaller reader of their own (store/cbor.h). Reads a borrowed text; throws CborError and never reads
// outside it. One decoding owns it.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace brume::protocols {

inline constexpr std::uint64_t kEpochTime = 1;  // the tag of a timestamp

struct CborError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct CborItem {
  enum class Type : std::uint8_t { natural, negative, bytes, text, array, map, tag, boolean, null, number, stop };
  Type type = Type::null;
  bool indefinite = false;  // of bytes, text, array and map: until a stop
  bool truth = false;       // of a boolean
  std::uint64_t value = 0;  // a natural number, -1 - n of a negative one, a tag, or how many follow
  double number = 0;        // of a number
  bool is(Type wanted) const { return type == wanted; }
};

class CborItems {
 public:
  explicit CborItems(std::string_view text) : rest_(text) {}
  bool at_end() const { return rest_.empty(); }

  // The head of the next item; what it contains follows.
  CborItem next();
  // The content of bytes or text whose head was read, chunks put together.
  std::string string(const CborItem& head);
  // Passes over what belongs to a head that was read.
  void skip(const CborItem& head) { skip(head, 0); }

 private:
  std::uint64_t argument(unsigned information);
  std::string_view take(std::uint64_t size);
  void skip(const CborItem& head, int depth);
  std::string_view rest_;
};

// Walks the children of an array or map whose head was read: `more` says whether another one follows, and gives its
// head (of a map: its key's).
class CborChildren {
 public:
  CborChildren(CborItems& items, const CborItem& head) : items_(items), head_(head) {}
  bool more(CborItem& child);

 private:
  CborItems& items_;
  CborItem head_;
  std::uint64_t seen_ = 0;
};

// Writes items at the end of `out`. Timestamps are seconds under tag 1 (RFC 8949, 3.4.2).
class CborItemWriter {
 public:
  explicit CborItemWriter(std::string& out) : out_(out) {}
  void array(std::uint64_t count) { head(4, count); }
  void map(std::uint64_t count) { head(5, count); }
  void text(std::string_view value);
  void bytes(std::string_view value);
  void integer(std::int64_t value);
  void number(double value);
  void boolean(bool value) { head(7, value ? 21 : 20); }
  void epoch_seconds(double value);

 private:
  void head(unsigned major, std::uint64_t value);
  std::string& out_;
};

}  // namespace brume::protocols

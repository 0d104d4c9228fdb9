// CBOR (RFC 8949), the part that records use: definite lengths, integers, doubles, byte and text strings, arrays, maps,
// booleans, null. The reader takes bytes that may be damaged: it throws StoreError and never reads outside them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "store/store.h"

namespace brume {

class CborWriter {
 public:
  CborWriter() = default;
  explicit CborWriter(std::size_t expected_bytes) { out_.reserve(expected_bytes); }
  void integer(std::int64_t value);
  void unsigned_integer(std::uint64_t value);
  void real(double value);
  void boolean(bool value);
  void null();
  void bytes(std::string_view value);
  void text(std::string_view value);
  void array(std::size_t count);  // `count` items follow
  void map(std::size_t count);    // `count` pairs follow
  // A map whose pairs, at most `most`, are counted while they are written; then it is closed.
  static constexpr std::size_t kMostPairs = 255;
  std::size_t open_map(std::size_t most);
  void close_map(std::size_t opened, std::size_t count);
  std::string take() { return std::move(out_); }

 private:
  void head(unsigned major, std::uint64_t value) {
    if (value < 24)
      out_ += static_cast<char>(major << 5 | static_cast<unsigned>(value));
    else
      long_head(major, value);
  }
  void long_head(unsigned major, std::uint64_t value);
  std::string out_;
};

class CborReader {
 public:
  explicit CborReader(std::string_view bytes) : rest_(bytes) {}
  bool at_end() const { return rest_.empty(); }
  bool next_is_null() const;

  std::int64_t integer();
  std::uint64_t unsigned_integer();
  double real();  // integers too
  bool boolean();
  void null();
  std::string_view string();  // bytes or text; points into the input
  std::size_t array();        // the number of items, never more than the bytes left
  std::size_t map();          // the number of pairs
  void skip();                // one whole item

  // Nesting is limited, so that damaged bytes cannot exhaust the stack.
  class Level {
   public:
    explicit Level(CborReader& reader) : reader_(reader) {
      if (reader_.depth_ >= kDepthLimit) throw_too_deep();
      ++reader_.depth_;
    }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    ~Level() { --reader_.depth_; }

   private:
    CborReader& reader_;
  };

 private:
  struct Head {
    unsigned major;
    unsigned information;
    std::uint64_t value;
  };
  static constexpr int kDepthLimit = 64;
  [[noreturn]] static void throw_too_deep();
  Head head();
  Head head(unsigned major);
  std::size_t count(unsigned major, std::size_t smallest_item);
  std::string_view rest_;
  int depth_ = 0;
};

[[noreturn]] void throw_damaged_record(std::string_view what);

}  // namespace brume

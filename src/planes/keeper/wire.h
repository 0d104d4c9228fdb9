// The bytes between the daemon and the keeper: values one after another, in frames with a type. Both ends are the same
// executable or refuse each other by kProtocolVersion, so there are no optional fields.
#pragma once

#include <concepts>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/error.h"

namespace brume::keeper {

// A type is carried by a function `fields(archive, value)` that names its members to the archive, once for both ways.
template <class T>
concept Integral = std::integral<T> || std::is_enum_v<T>;

class Encoder {
 public:
  template <class... T>
  void operator()(const T&... values) {
    (put(values), ...);
  }
  std::string take() { return std::move(bytes_); }

 private:
  template <Integral T>
  void put(T value) {
    const auto wide = static_cast<std::int64_t>(value);
    char raw[sizeof wide];
    std::memcpy(raw, &wide, sizeof wide);
    bytes_.append(raw, sizeof raw);
  }
  void put(const std::string& text) {
    put(text.size());
    bytes_ += text;
  }
  template <class T>
  void put(const std::vector<T>& list) {
    put(list.size());
    for (const T& item : list) put(item);
  }
  template <class T>
    requires(!Integral<T>)
  void put(const T& value) {
    fields(*this, value);
  }

  std::string bytes_;
};

// Reading past the end, or a size that cannot be, leaves the decoder failed and the values as they were.
class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : bytes_(bytes) {}
  template <class... T>
  void operator()(T&... values) {
    (get(values), ...);
  }
  bool good() const { return good_; }

 private:
  template <Integral T>
  void get(T& value) {
    std::int64_t wide = 0;
    if (!take(&wide, sizeof wide)) return;
    value = static_cast<T>(wide);
  }
  void get(std::string& text) {
    std::uint64_t size = 0;
    get(size);
    if (size > bytes_.size()) good_ = false;
    if (!good_) return;
    text.assign(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
  }
  template <class T>
  void get(std::vector<T>& list) {
    std::uint64_t size = 0;
    get(size);
    if (size > bytes_.size()) good_ = false;  // each item takes at least a byte
    for (std::uint64_t i = 0; good_ && i < size; ++i) get(list.emplace_back());
  }
  template <class T>
    requires(!Integral<T>)
  void get(T& value) {
    fields(*this, value);
  }
  bool take(void* out, std::size_t size) {
    if (!good_ || bytes_.size() < size) return good_ = false;
    std::memcpy(out, bytes_.data(), size);
    bytes_.remove_prefix(size);
    return true;
  }

  std::string_view bytes_;
  bool good_ = true;
};

template <class... T>
std::string encode(const T&... values) {
  Encoder encoder;
  encoder(values...);
  return encoder.take();
}

// Throws PlaneError{permanent} when the bytes are not such values.
template <class... T>
void decode(std::string_view bytes, T&... values) {
  Decoder decoder(bytes);
  decoder(values...);
  if (!decoder.good()) throw PlaneError(PlaneError::Kind::permanent, "a malformed message of the keeper's protocol");
}

inline constexpr std::size_t kFrameHead = 5;              // size of the payload (4 bytes), type
inline constexpr std::size_t kFrameLimit = 64ULL << 20U;  // of a payload

struct Frame {
  std::uint8_t type = 0;
  std::string payload;
};

inline void append_frame(std::string& out, std::uint8_t type, std::string_view payload) {
  const auto size = static_cast<std::uint32_t>(payload.size());
  char head[kFrameHead];
  std::memcpy(head, &size, sizeof size);
  head[4] = static_cast<char>(type);
  out.append(head, sizeof head);
  out.append(payload);
}

// Cuts a stream of bytes into frames.
class FrameReader {
 public:
  void feed(std::string_view bytes) { bytes_.append(bytes); }
  // Throws PlaneError{permanent} for a frame over the limit.
  std::optional<Frame> next() {
    if (bytes_.size() - begin_ < kFrameHead) return wait();
    std::uint32_t size = 0;
    std::memcpy(&size, bytes_.data() + begin_, sizeof size);
    if (size > kFrameLimit) throw PlaneError(PlaneError::Kind::permanent, "a frame over the keeper's limit");
    if (bytes_.size() - begin_ < kFrameHead + size) return wait();
    Frame frame{static_cast<std::uint8_t>(bytes_[begin_ + 4]), bytes_.substr(begin_ + kFrameHead, size)};
    begin_ += kFrameHead + size;
    return frame;
  }

 private:
  std::nullopt_t wait() {
    bytes_.erase(0, begin_);
    begin_ = 0;
    return std::nullopt;
  }
  std::string bytes_;
  std::size_t begin_ = 0;
};

}  // namespace brume::keeper

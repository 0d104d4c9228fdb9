// An optional value for members of generated shapes. Smaller to compile than std::optional; same meaning.
#pragma once

#include <type_traits>
#include <utility>

namespace brume {

struct Nothing {};
inline constexpr Nothing kNothing{};

template <class T>
class opt {
 public:
  opt() = default;
  opt(Nothing) {}
  opt(T value) : value_(std::move(value)), has_(true) {}
  template <class U>
    requires(!std::is_same_v<std::remove_cvref_t<U>, opt> && !std::is_same_v<std::remove_cvref_t<U>, T> &&
             std::is_constructible_v<T, U &&>)
  opt(U&& value) : value_(std::forward<U>(value)), has_(true) {}

  bool has_value() const { return has_; }
  explicit operator bool() const { return has_; }
  T& operator*() { return value_; }
  const T& operator*() const { return value_; }
  T* operator->() { return &value_; }
  const T* operator->() const { return &value_; }

  // The value, or a value-initialized one when absent: an absent list reads as an empty one.
  const T& get() const { return value_; }
  template <class U>
  T value_or(U&& fallback) const {
    return has_ ? value_ : T(std::forward<U>(fallback));
  }
  T& emplace() {
    value_ = T{};
    has_ = true;
    return value_;
  }
  // The value, made when absent.
  T& ensure() {
    has_ = true;
    return value_;
  }
  void reset() {
    value_ = T{};
    has_ = false;
  }
  // Written out: a defaulted one would be checked while a type that contains itself is still incomplete.
  bool operator==(const opt& other) const { return has_ == other.has_ && value_ == other.value_; }

 private:
  T value_{};
  bool has_ = false;
};

// A value of a type that contains itself (DynamoDB's AttributeValue): held on the heap, copied deeply.
template <class T>
class box {
 public:
  box() = default;
  box(T value) : value_(new T(std::move(value))) {}
  box(const box& other) : value_(other.value_ ? new T(*other.value_) : nullptr) {}
  box(box&& other) noexcept : value_(std::exchange(other.value_, nullptr)) {}
  box& operator=(box other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~box() { delete value_; }
  T& operator*() { return ensure(); }
  const T& operator*() const { return *value_; }
  T* operator->() { return &ensure(); }
  const T* operator->() const { return value_; }
  explicit operator bool() const { return value_ != nullptr; }
  bool has_value() const { return value_ != nullptr; }
  T& ensure() {
    if (value_ == nullptr) value_ = new T();
    return *value_;
  }
  T& emplace() {
    delete std::exchange(value_, new T());
    return *value_;
  }
  bool operator==(const box& other) const {
    return (value_ == nullptr) == (other.value_ == nullptr) && (value_ == nullptr || *value_ == *other.value_);
  }

 private:
  T* value_ = nullptr;
};

}  // namespace brume

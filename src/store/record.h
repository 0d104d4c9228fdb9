// Records to and from bytes: any struct described with BOOST_DESCRIBE_STRUCT becomes a CBOR map by member name. A
// member that equals a default record's is left out; one that is absent keeps its default; one that is unknown is
// skipped. Members: bool, integers, double, std::string, enums, Time, Duration, Scope, opt, box, std::optional,
// vector, set, map with string keys, pair, and described structs. Pure functions, any thread.
#pragma once

#include <boost/describe/class.hpp>
#include <boost/mp11/algorithm.hpp>
#include <concepts>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/scope.h"
#include "core/time.h"
#include "store/cbor.h"
#include "store/described.h"

namespace brume {

namespace record_detail {

template <class T>
void write(CborWriter& out, const T& value);
template <class T>
void read(CborReader& in, T& value);

template <Described T>
void write_members(CborWriter& out, const T& value) {
  static_assert(boost::mp11::mp_size<Members<T>>::value <= CborWriter::kMostPairs);
  static const T defaults{};
  const std::size_t opened = out.open_map(boost::mp11::mp_size<Members<T>>::value);
  std::size_t count = 0;
  boost::mp11::mp_for_each<Members<T>>([&](auto member) {
    if (same(value.*member.pointer, defaults.*member.pointer)) return;
    ++count;
    out.text(member.name);
    write(out, value.*member.pointer);
  });
  out.close_map(opened, count);
}

// A type that contains itself is a struct: this is where depth is counted.
template <Described T>
void read_members(CborReader& in, T& value) {
  const CborReader::Level level(in);
  for (std::size_t left = in.map(); left > 0; --left) {
    const std::string_view name = in.string();
    bool known = false;
    boost::mp11::mp_for_each<Members<T>>([&](auto member) {
      if (known || name != member.name) return;
      known = true;
      read(in, value.*member.pointer);
    });
    if (!known) in.skip();
  }
}

template <class T>
void write_items(CborWriter& out, const T& values) {
  out.array(values.size());
  for (const typename T::value_type& value : values) write(out, value);
}

template <class T>
void write(CborWriter& out, const T& value) {
  if constexpr (std::same_as<T, bool>) {
    out.boolean(value);
  } else if constexpr (std::unsigned_integral<T>) {
    out.unsigned_integer(value);
  } else if constexpr (std::signed_integral<T>) {
    out.integer(value);
  } else if constexpr (std::is_enum_v<T>) {
    out.integer(static_cast<std::int64_t>(value));
  } else if constexpr (std::floating_point<T>) {
    out.real(static_cast<double>(value));
  } else if constexpr (std::same_as<T, std::string>) {
    out.bytes(value);
  } else if constexpr (std::same_as<T, Time> || std::same_as<T, Duration>) {
    out.integer(value.ms);
  } else if constexpr (std::same_as<T, Scope>) {
    out.array(2);
    out.bytes(value.account);
    out.bytes(value.region);
  } else if constexpr (is_optional<T>) {
    if (value.has_value()) {
      write(out, *value);
    } else {
      out.null();
    }
  } else if constexpr (is_a<T, std::pair>) {
    out.array(2);
    write(out, value.first);
    write(out, value.second);
  } else if constexpr (is_a<T, std::map>) {
    static_assert(std::same_as<typename T::key_type, std::string>, "records have maps by string only");
    out.map(value.size());
    for (const auto& [key, item] : value) {
      out.bytes(key);
      write(out, item);
    }
  } else if constexpr (is_a<T, std::vector> || is_a<T, std::set>) {
    write_items(out, value);
  } else {
    static_assert(Described<T>, "describe this struct with BOOST_DESCRIBE_STRUCT");
    write_members(out, value);
  }
}

template <class T>
T read_integer(CborReader& in) {
  if constexpr (std::unsigned_integral<T>) {
    const std::uint64_t value = in.unsigned_integer();
    if (value > std::numeric_limits<T>::max()) throw_damaged_record("a number out of range");
    return static_cast<T>(value);
  } else {
    const std::int64_t value = in.integer();
    if (value > std::numeric_limits<T>::max() || value < std::numeric_limits<T>::min()) {
      throw_damaged_record("a number out of range");
    }
    return static_cast<T>(value);
  }
}

template <class T>
void read_container(CborReader& in, T& value) {
  value.clear();
  if constexpr (is_a<T, std::map>) {
    // Keys were written in their order: each has its place at the end.
    for (std::size_t left = in.map(); left > 0; --left) {
      const std::string_view key = in.string();
      read(in, value.try_emplace(value.end(), std::string(key))->second);
    }
  } else if constexpr (is_a<T, std::vector> && !std::same_as<typename T::value_type, bool>) {
    for (std::size_t left = in.array(); left > 0; --left) read(in, value.emplace_back());
  } else {
    for (std::size_t left = in.array(); left > 0; --left) {
      typename T::value_type item{};
      read(in, item);
      value.insert(value.end(), std::move(item));
    }
  }
}

inline void read_pair_head(CborReader& in) {
  if (in.array() != 2) throw_damaged_record("not a pair");
}

template <class T>
void read(CborReader& in, T& value) {
  if constexpr (std::same_as<T, bool>) {
    value = in.boolean();
  } else if constexpr (std::integral<T>) {
    value = read_integer<T>(in);
  } else if constexpr (std::is_enum_v<T>) {
    value = static_cast<T>(read_integer<std::underlying_type_t<T>>(in));
  } else if constexpr (std::floating_point<T>) {
    value = static_cast<T>(in.real());
  } else if constexpr (std::same_as<T, std::string>) {
    value = in.string();
  } else if constexpr (std::same_as<T, Time> || std::same_as<T, Duration>) {
    value.ms = in.integer();
  } else if constexpr (std::same_as<T, Scope>) {
    read_pair_head(in);
    value.account = in.string();
    value.region = in.string();
  } else if constexpr (is_optional<T>) {
    if (value.has_value()) value = T{};
    if (in.next_is_null()) {
      in.null();
    } else if constexpr (requires { value.ensure(); }) {
      read(in, value.ensure());
    } else {
      read(in, value.emplace());
    }
  } else if constexpr (is_a<T, std::pair>) {
    read_pair_head(in);
    read(in, value.first);
    read(in, value.second);
  } else if constexpr (is_a<T, std::map> || is_a<T, std::vector> || is_a<T, std::set>) {
    read_container(in, value);
  } else {
    static_assert(Described<T>, "describe this struct with BOOST_DESCRIBE_STRUCT");
    read_members(in, value);
  }
}

}  // namespace record_detail

// A part of a record, for one that is put together without its struct.
template <class Value>
void write_record(CborWriter& out, const Value& value) {
  record_detail::write(out, value);
}

template <class Record>
std::string encode_record(const Record& record) {
  CborWriter out(256);
  record_detail::write(out, record);
  return out.take();
}

// Throws StoreError for damaged bytes.
template <class Record>
Record decode_record(std::string_view bytes) {
  CborReader in(bytes);
  Record record{};
  record_detail::read(in, record);
  if (!in.at_end()) throw_damaged_record("bytes are left over");
  return record;
}

}  // namespace brume

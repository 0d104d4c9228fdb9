// Scalars as text: in queries, headers, URIs and XML. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "core/model.h"
#include "core/time.h"

namespace brume::protocols {

using model::Kind;
using model::Member;
using model::TimestampFormat;
using model::Type;

bool is_scalar(Kind kind);  // everything but structures, lists, maps and streams

// The format that applies: the member's own, else the shape's, else the one given.
TimestampFormat timestamp_format(const Member* member, const Type& type, TimestampFormat otherwise);

// Reads `text` into `value`, of the scalar type given; false, with the value untouched, when it does not fit. Blobs
// are base64. Timestamps of any of AWS's formats are read, `format` first.
bool parse_scalar(const Type& type, TimestampFormat format, std::string_view text, void* value);
// The same as Smithy's servers read ("Malformed request tests"): no space around the value, true and false in lower
// case, and timestamps in their own format only.
bool parse_exact_scalar(const Type& type, TimestampFormat format, std::string_view text, void* value);
std::string format_scalar(const Type& type, TimestampFormat format, const void* value);

bool parse_timestamp(std::string_view text, TimestampFormat format, Time& out);
// ISO 8601 has milliseconds when they are not zero; seconds since the epoch too.
std::string format_timestamp(Time time, TimestampFormat format);

// Shortest form that reads back; "NaN", "Infinity" and "-Infinity".
std::string format_number(double value);
bool parse_number(std::string_view text, double& out);

// Seconds since the Unix epoch. Only the years 0000 to 9999 are moments: what is read can be written in every format.
bool read_seconds(double seconds, Time& out);

}  // namespace brume::protocols

// The head of an answer as bytes. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "aws/http.h"
#include "core/time.h"
#include "front/http/head.h"

namespace brume::http {

// Status line and headers with the empty line. Content-Length or Transfer-Encoding, Date and Connection are written
// here, whatever the reply says about them; only an answer to HEAD keeps its own Content-Length, which tells what GET
// would send.
std::string render_reply_head(const HttpReply& reply, const RequestHead& request, bool keep_alive, Time now,
                              bool streamed = false);
// Answers to HEAD, and 1xx, 204 and 304, have no body.
bool reply_has_body(const HttpReply& reply, const RequestHead& request);
std::string_view reason_phrase(int status);

}  // namespace brume::http

// Decoder of the chunked transfer coding, RFC 9112 section 7.1, strict: CRLF only, no white space around sizes, bounded
// extensions and trailers. Fed piece by piece. One request's, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "aws/http.h"

namespace brume::http {

class ChunkedDecoder {
 public:
  enum class State { more, done, refused };
  struct Step {
    State state = State::more;
    std::size_t consumed = 0;  // how much of the input was used; all of it unless done or refused
    std::string_view data;     // a part of the body inside the input; may be empty
  };
  // Call again with the rest of the input while it is `more` and something is left.
  Step feed(std::string_view input);

  const Headers& trailers() const { return trailers_; }
  // Refused: why, as a sentence.
  const std::string& problem() const { return problem_; }

 private:
  enum class Where { size, data, data_end, trailer, finished, failed };
  Step fail(std::string problem);
  bool read_size_line();
  bool read_trailer_line();
  bool end_line();

  Where where_ = Where::size;
  std::string line_;  // the line being collected
  std::uint64_t left_ = 0;
  std::size_t trailer_bytes_ = 0;
  Headers trailers_;
  std::string problem_;
};

}  // namespace brume::http

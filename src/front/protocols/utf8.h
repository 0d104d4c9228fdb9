// Whether bytes that came percent-encoded or in XML are text. A pure function.
#pragma once

#include <string_view>

namespace brume::protocols {

bool is_utf8(std::string_view text);  // RFC 3629: no surrogates, no overlong forms

}  // namespace brume::protocols

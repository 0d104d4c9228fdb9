#include "planes/balancer/access.h"

#include "core/text.h"

namespace brume::balancer {
namespace {

// "tg.GROUP", "open.GROUP" → GROUP; anything else (the frontend itself) is no group.
std::string group_of(std::string_view backend) {
  for (std::string_view prefix : {"tg.", "open."})
    if (backend.starts_with(prefix)) return std::string(backend.substr(prefix.size()));
  return {};
}

std::int64_t number(std::string_view text) {
  std::int64_t value = 0;
  return parse_int(text, value) ? value : 0;
}

}  // namespace

std::string access_log_format() {
  // Control characters in what clients send are logged as #XX, so that a tab is always a separator.
  return R"("R\t%ci\t%f\t%b\t%s\t%ST\t%B\t%U\t%Tr\t%ts\t%HM\t%[capture.req.hdr(0)]\t%HPO")";
}

std::optional<Balancer::Access> parse_access(std::string_view line, const std::string& balancer, std::int64_t at_ms) {
  const auto fields = split(line, '\t');
  if (fields.size() != 13 || fields[0] != "R") return std::nullopt;
  Balancer::Access access;
  access.balancer = balancer;
  access.at_ms = at_ms;
  access.client = fields[1];
  if (fields[2].starts_with("l.")) access.listener = fields[2].substr(2);
  access.group = group_of(fields[3]);
  if (fields[4] != "<NOSRV>") access.target = fields[4];
  access.status = static_cast<int>(number(fields[5]));
  access.bytes_out = static_cast<std::uint64_t>(number(fields[6]));
  access.bytes_in = static_cast<std::uint64_t>(number(fields[7]));
  const std::int64_t target_ms = number(fields[8]);  // -1: the target's response head never came
  access.status_text = fields[9];
  access.method = fields[10];
  if (fields[11] != "-") access.host = fields[11];
  access.path = fields[12];
  if (target_ms >= 0 && !access.target.empty()) {
    access.seconds = static_cast<double>(target_ms) / 1000;
    access.target_status = access.status;
  } else if (!access.group.empty() && access.status == 503) {
    access.status = 502;  // what the client was told: see the backends' errorfile
  }
  return access;
}

}  // namespace brume::balancer

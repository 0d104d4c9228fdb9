#include <algorithm>
#include <set>

#include "core/text.h"
#include "planes/balancer/render_parts.h"

namespace brume::balancer {
namespace {

constexpr const char* kGroupUnset = "!{ var(txn.group) -m found }";

const char* reason(int status) {
  switch (status) {
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 408:
      return "Request Time-out";
    case 500:
      return "Internal Server Error";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Temporarily Unavailable";
    case 504:
      return "Gateway Time-out";
    default:
      return "";
  }
}

std::string rule_is(std::size_t number) { return "{ var(txn.rule) -m int " + std::to_string(number) + " }"; }
std::string group_is(const std::string& group) { return "{ var(txn.group) -m str " + group + " }"; }

// A redirect's parts keep the request's where they say so: #{protocol}, #{host}, #{port}, #{path}, #{query}.
std::string redirect_format(std::string_view text, const Listener& listener) {
  const std::pair<std::string_view, std::string> keywords[] = {
      {"#{protocol}", listener.tls ? "https" : "http"},
      {"#{host}", "%[req.hdr(host),host_only]"},
      {"#{port}", std::to_string(listener.port)},
      {"#{path}", "%[path,regsub(^/,)]"},
      {"#{query}", "%[query]"},
  };
  std::string result;
  while (!text.empty()) {
    const auto* keyword = std::find_if(std::begin(keywords), std::end(keywords),
                                       [&](const auto& k) { return text.starts_with(k.first); });
    if (keyword != std::end(keywords)) {
      result += keyword->second;
      text.remove_prefix(keyword->first.size());
    } else {
      result += escaped_format(text.substr(0, 1));
      text.remove_prefix(1);
    }
  }
  return result;
}

std::string render_redirect(const Action& action, const Listener& listener, const std::string& when, Files& files) {
  const auto or_else = [](const std::string& text, const char* fallback) { return text.empty() ? fallback : text; };
  std::string location = redirect_format(to_lower(or_else(action.protocol, "#{protocol}")), listener) + "://" +
                         redirect_format(or_else(action.host, "#{host}"), listener) + ":" +
                         redirect_format(or_else(action.port, "#{port}"), listener) +
                         redirect_format(or_else(action.path, "/#{path}"), listener);
  const std::string page = quoted(files.put(std::to_string(action.status) + ".html", aws_page(action.status)));
  const auto line = [&](const std::string& full, const std::string& condition) {
    return "  http-request return status " + std::to_string(action.status) + " content-type text/html file " + page +
           " hdr Server awselb/2.0 hdr Location " + quoted(full) + " if " + condition + "\n";
  };
  const std::string query = redirect_format(action.query, listener);
  if (action.query.empty()) return line(location, when);
  if (action.query != "#{query}") return line(location + "?" + query, when);
  return line(location + "?" + query, when + " { query -m len gt 0 }") + line(location, when);
}

std::string render_fixed_response(const Action& action, const std::string& when, Files& files) {
  std::string text = "  http-request return status " + std::to_string(action.status);
  if (!action.body.empty()) {
    const std::string type = action.content_type.empty() ? "text/plain" : action.content_type;
    text += " content-type " + quoted(type + "; charset=utf-8") + " file " +
            quoted(files.put_by_digest("body-", ".txt", action.body));
  }
  return text + " hdr Server awselb/2.0 if " + when + "\n";
}

std::string cookie_of(const std::string& group) { return to_hex(sha256(group)).substr(0, 24); }

// Sets txn.group: by the group's cookie when the rule is sticky, else by weight.
std::string render_forward(const Action& action, const std::string& when, const Files& files) {
  std::vector<std::pair<std::string, int>> groups = action.groups;
  std::erase_if(groups, [](const auto& group) { return group.second <= 0; });
  if (action.groups.size() == 1) groups = {{action.groups[0].first, 1}};  // alone, its weight does not matter
  if (groups.empty())
    return "  http-request return status 503 errorfile " + quoted(files.path("503.http")) + " if " + when + "\n";
  const auto choose = [&](const std::string& group, const std::string& condition) {
    return "  http-request set-var(txn.group) str(" + group + ") if " + when + condition + "\n";
  };
  std::string text;
  const bool sticky = action.stickiness_seconds > 0;
  if (sticky)
    for (const auto& [group, weight] : groups)
      text += choose(group, " { req.cook(AWSALBTG) -m str " + cookie_of(group) + " }");
  int total = 0, below = 0;
  for (const auto& [group, weight] : groups) total += weight;
  if (groups.size() > 1)
    text += "  http-request set-var(txn.weight) rand(" + std::to_string(total) + ") if " + when + "\n";
  for (const auto& [group, weight] : groups) {
    below += weight;
    const std::string drawn = below < total ? " { var(txn.weight) -m int lt " + std::to_string(below) + " }" : "";
    text += choose(group, std::string(" ") + kGroupUnset + drawn);
  }
  if (!sticky) return text;
  for (const auto& [group, weight] : groups) {
    const std::string value =
        cookie_of(group) + "; Expires=%[date(" + std::to_string(action.stickiness_seconds) + "),http_date]; Path=/";
    const std::string chosen = " if " + when + " " + group_is(group) + "\n";
    text += "  http-response add-header Set-Cookie " + quoted("AWSALBTG=" + value) + chosen;
    text +=
        "  http-response add-header Set-Cookie " + quoted("AWSALBTGCORS=" + value + "; SameSite=None; Secure") + chosen;
  }
  return text;
}

std::string render_action(const Action& action, std::size_t number, const Listener& listener, Files& files) {
  const std::string when = rule_is(number);
  switch (action.kind) {
    case Action::Kind::redirect:
      return render_redirect(action, listener, when, files);
    case Action::Kind::fixed_response:
      return render_fixed_response(action, when, files);
    case Action::Kind::forward:
      return render_forward(action, when, files);
  }
  return {};
}

std::string render_bind(const Listener& listener, const LoadBalancer& balancer, Files& files) {
  std::string tls;
  if (listener.tls) {
    std::string list;
    for (const std::string& bundle : listener.certificates)
      list += files.put_by_digest("certificate-", ".pem", bundle) + "\n";
    tls = " ssl crt-list " + quoted(files.put("listener-" + listener.id + ".list", list)) + " alpn h2,http/1.1";
  }
  std::string text;
  for (const std::string& address : balancer.addresses)
    text += "  bind " + quoted(address + ":" + std::to_string(listener.port)) + tls + "\n";
  return text;
}

// What ELB adds to a request ("HTTP headers and Application Load Balancers").
std::string render_request_headers(const Listener& listener, const LoadBalancer& balancer) {
  std::string text;
  if (balancer.forwarded_for == "append") {
    text +=
        "  http-request set-var(txn.forwarded) req.fhdr_cnt(x-forwarded-for)\n"
        "  http-request set-header X-Forwarded-For '%[req.fhdr(x-forwarded-for)], %[src]' if { var(txn.forwarded) -m "
        "int 1 }\n"
        "  http-request add-header X-Forwarded-For %[src] unless { var(txn.forwarded) -m int 1 }\n";
  } else if (balancer.forwarded_for == "remove") {
    text += "  http-request del-header X-Forwarded-For\n";
  }
  text += std::string("  http-request set-header X-Forwarded-Proto ") + (listener.tls ? "https" : "http") +
          "\n  http-request set-header X-Forwarded-Port " + std::to_string(listener.port) + "\n";
  return text +
         "  acl traced req.fhdr(x-amzn-trace-id) -m found\n"
         "  acl rooted req.fhdr(x-amzn-trace-id) -m sub Root=\n"
         "  http-request set-header X-Amzn-Trace-Id 'Self=1-%[unique-id];%[req.fhdr(x-amzn-trace-id)]' if rooted\n"
         "  http-request set-header X-Amzn-Trace-Id 'Root=1-%[unique-id];%[req.fhdr(x-amzn-trace-id)]' if traced "
         "!rooted\n"
         "  http-request set-header X-Amzn-Trace-Id 'Root=1-%[unique-id]' if !traced\n";
}

// Where the chosen group's requests go: to its healthy targets, to all when none is healthy ("Health checks for
// Application Load Balancer target groups": fail open), to nobody when it has none. A worker that ends after a reload
// counts no server any more, although it still has them.
std::string render_groups(const std::set<std::string>& groups, const Files& files) {
  std::string text;
  for (const std::string& group : groups)
    text += "  http-request return status 503 errorfile " + quoted(files.path("503.http")) + " if " + group_is(group) +
            " { nbsrv(tg." + group + ") eq 0 } { nbsrv(open." + group + ") eq 0 } !{ stopping }\n";
  for (const std::string& group : groups) {
    text +=
        "  use_backend open." + group + " if " + group_is(group) + " { nbsrv(tg." + group + ") eq 0 } !{ stopping }\n";
    text += "  use_backend tg." + group + " if " + group_is(group) + "\n";
  }
  return text;
}

}  // namespace

std::string Files::put(const std::string& name, std::string content) {
  files_[name] = std::move(content);
  return path(name);
}

std::string Files::put_by_digest(const std::string& prefix, const std::string& suffix, const std::string& content) {
  return put(prefix + to_hex(sha256(content)).substr(0, 16) + suffix, content);
}

std::string aws_page(int status) {
  const std::string title = std::to_string(status) + " " + reason(status);
  return "<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<center><h1>" + title +
         "</h1></center>\r\n</body>\r\n</html>\r\n";
}

std::string aws_answer(int status) {
  const std::string page = aws_page(status);
  return "HTTP/1.1 " + std::to_string(status) + " " + reason(status) +
         "\r\nServer: awselb/2.0\r\nContent-Type: text/html\r\nContent-Length: " + std::to_string(page.size()) +
         "\r\n\r\n" + page;
}

std::string render_frontend(const Listener& listener, const LoadBalancer& balancer, Files& files) {
  std::string text = "frontend l." + listener.id + "\n" + render_bind(listener, balancer, files);
  text +=
      "  http-request capture req.hdr(host) len 256\n"
      "  http-after-response set-header Date '%[date,http_date]' unless { res.hdr(date) -m found }\n"
      "  http-request disable-l7-retry unless { method GET HEAD PUT DELETE OPTIONS }\n";
  if (balancer.drop_invalid_headers) text += "  http-request del-header '[^-A-Za-z0-9]' -m reg\n";
  std::vector<Rule> rules = listener.rules;
  std::sort(rules.begin(), rules.end(), [](const Rule& a, const Rule& b) { return a.priority < b.priority; });
  std::string conditions, choices, actions;
  std::set<std::string> groups;
  const auto add = [&](const Action& action, std::size_t number, const std::string& when) {
    choices += "  http-request set-var(txn.rule) int(" + std::to_string(number) + ") if !{ var(txn.rule) -m found }" +
               when + "\n";
    actions += render_action(action, number, listener, files);
    if (action.kind == Action::Kind::forward)
      for (const auto& [group, weight] : action.groups) groups.insert(group);
  };
  for (std::size_t i = 0; i < rules.size(); ++i) {
    std::string when;
    for (std::size_t c = 0; c < rules[i].conditions.size(); ++c) {
      const std::string name = "r" + std::to_string(i + 1) + "c" + std::to_string(c + 1);
      conditions += render_condition(name, rules[i].conditions[c]);
      when += " " + name;
    }
    add(rules[i].action, i + 1, when);
  }
  add(listener.default_action, 0, "");
  return text + conditions + choices + actions + render_request_headers(listener, balancer) +
         render_groups(groups, files) + "\n";
}

}  // namespace brume::balancer

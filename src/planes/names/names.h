// Names: DNS for the internet namespace and each VPC's resolver, and the certificate authority of this instance.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace brume::names {

enum class RecordType : std::uint16_t {
  a = 1,
  ns = 2,
  cname = 5,
  soa = 6,
  ptr = 12,
  mx = 15,
  txt = 16,
  aaaa = 28,
  srv = 33,
  caa = 257,
  any = 255
};

struct Record {
  RecordType type = RecordType::a;
  std::uint32_t ttl = 60;
  std::string value;  // as in a zone file: "198.19.0.4", "10 mail.example.com"
  bool operator==(const Record&) const = default;
};

// The names that services publish. Thread-safe: services put on the control thread, the resolver reads on its own.
// A view is "" (public: seen in the internet namespace and in every VPC) or a VPC's id (seen in that VPC only, first).
class Zone {
 public:
  virtual ~Zone() = default;
  // Replaces the records of (view, name). An empty list removes the name. Names are lower case, no trailing dot;
  // a name that starts with "*." answers for every name below that has no records of its own.
  virtual void put(const std::string& view, const std::string& name, std::vector<Record> records) = 0;
  virtual void remove_view(const std::string& view) = 0;

  struct Answer {
    bool exists = false;          // false: NXDOMAIN, when the name is ours; see `ours`
    bool ours = false;            // a name of AWS or a published one: never forwarded
    std::vector<Record> records;  // CNAME chains inside the zone are followed and included
  };
  virtual Answer find(std::string_view view, std::string_view name, RecordType type) const = 0;
};
std::unique_ptr<Zone> make_zone();
// True for names under AWS's own domains (DECISIONS 10): answered here or not at all.
bool is_aws_name(std::string_view name);

// Serves DNS on sockets that are bound already (UDP and TCP), on one thread of its own. Names that are not ours are
// forwarded to the host's resolvers from the host, or answered NXDOMAIN when offline.
class Resolver {
 public:
  virtual ~Resolver() = default;
  virtual void serve(const std::string& view, int udp_socket, int tcp_socket) = 0;  // takes ownership
  virtual void stop(const std::string& view) = 0;
  virtual void set_offline(bool offline) = 0;  // for the internet namespace; VPCs are told by set_view_forwarding
  virtual void set_forwarding(const std::string& view, bool allowed) = 0;
  struct Counts {
    std::uint64_t answered = 0, forwarded = 0, refused_aws = 0;
  };
  virtual Counts counts() const = 0;
  virtual std::vector<std::pair<std::string, std::uint64_t>> unserved_aws_names() const = 0;
};
std::unique_ptr<Resolver> make_resolver(Zone& zone);

struct Certificate {
  std::string chain_pem, key_pem;
};
// The CA of one state directory. Thread-safe; leaves are minted once per name and cached.
class Authority {
 public:
  virtual ~Authority() = default;
  virtual const std::string& certificate_pem() const = 0;
  virtual const std::string& certificate_path() const = 0;  // world-readable
  virtual Certificate leaf(const std::string& name) = 0;
};
// Loads or makes the CA in `directory` (key owner-only).
std::unique_ptr<Authority> open_authority(const std::string& directory);

}  // namespace brume::names

#include "services/elbv2/ssl_policies.h"

#include <algorithm>

namespace brume::elbv2 {
namespace {

using List = std::vector<std::string_view>;

List joined(std::initializer_list<List> lists) {
  List all;
  for (const List& list : lists) all.insert(all.end(), list.begin(), list.end());
  return all;
}

std::vector<SslPolicyFacts> make_policies() {
  const List tls13 = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"};
  const List gcm128 = {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"};
  const List sha128 = {"ECDHE-ECDSA-AES128-SHA256", "ECDHE-RSA-AES128-SHA256"};
  const List old128 = {"ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA"};
  const List gcm256 = {"ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384"};
  const List sha256 = {"ECDHE-ECDSA-AES256-SHA384", "ECDHE-RSA-AES256-SHA384"};
  const List old256 = {"ECDHE-RSA-AES256-SHA", "ECDHE-ECDSA-AES256-SHA"};
  const List rsa = {"AES128-GCM-SHA256", "AES128-SHA256"}, rsa256 = {"AES256-GCM-SHA384", "AES256-SHA256"};
  const List old_rsa = {"AES128-GCM-SHA256", "AES128-SHA256", "AES128-SHA"};
  const List old_rsa256 = {"AES256-GCM-SHA384", "AES256-SHA256", "AES256-SHA"};
  const List forward = joined({gcm128, sha128, gcm256, sha256});
  const List forward_old = joined({gcm128, sha128, old128, gcm256, sha256, old256});
  const List every = joined({gcm128, sha128, old128, gcm256, sha256, old256, old_rsa, old_rsa256});
  const List without_old = joined({gcm128, sha128, gcm256, sha256, rsa, rsa256});
  const List restricted = joined({gcm128, gcm256});
  const List v12 = {"TLSv1.2"}, v11 = {"TLSv1.1", "TLSv1.2"}, v10 = {"TLSv1", "TLSv1.1", "TLSv1.2"};
  const List v13 = {"TLSv1.3"};
  const auto also13 = [&](const List& protocols) { return joined({protocols, v13}); };
  const auto with13 = [&](const List& ciphers) { return joined({tls13, ciphers}); };
  List des = every;
  des.push_back("DES-CBC3-SHA");
  return {
      {"ELBSecurityPolicy-2016-08", v10, every},
      {"ELBSecurityPolicy-TLS-1-0-2015-04", v10, des},
      {"ELBSecurityPolicy-TLS-1-1-2017-01", v11, every},
      {"ELBSecurityPolicy-TLS-1-2-2017-01", v12, without_old},
      {"ELBSecurityPolicy-TLS-1-2-Ext-2018-06", v12, every},
      {"ELBSecurityPolicy-FS-2018-06", v10, forward_old},
      {"ELBSecurityPolicy-FS-1-1-2019-08", v11, forward_old},
      {"ELBSecurityPolicy-FS-1-2-2019-08", v12, forward_old},
      {"ELBSecurityPolicy-FS-1-2-Res-2019-08", v12, forward},
      {"ELBSecurityPolicy-FS-1-2-Res-2020-10", v12, restricted},
      {"ELBSecurityPolicy-TLS13-1-0-2021-06", also13(v10), with13(every)},
      {"ELBSecurityPolicy-TLS13-1-1-2021-06", also13(v11), with13(every)},
      {"ELBSecurityPolicy-TLS13-1-2-2021-06", also13(v12), with13(forward)},
      {"ELBSecurityPolicy-TLS13-1-2-Res-2021-06", also13(v12), with13(restricted)},
      {"ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06", also13(v12), with13(without_old)},
      {"ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06", also13(v12), with13(every)},
      {"ELBSecurityPolicy-TLS13-1-3-2021-06", v13, tls13},
  };
}

}  // namespace

std::span<const SslPolicyFacts> ssl_policies() {
  static const std::vector<SslPolicyFacts> kPolicies = make_policies();
  return kPolicies;
}

const SslPolicyFacts* find_ssl_policy(std::string_view name) {
  const auto policies = ssl_policies();
  const auto found = std::ranges::find(policies, name, &SslPolicyFacts::name);
  return found == policies.end() ? nullptr : &*found;
}

}  // namespace brume::elbv2

#include "planes/names/authority.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/error.h"

namespace brume::names {
namespace {

class Directory {
 public:
  Directory() {
    std::string pattern = std::filesystem::temp_directory_path() / "brume-ca-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) throw_errno("mkdtemp");
    path = pattern;
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() { std::filesystem::remove_all(path); }
  std::string path;
};

void write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

mode_t mode_of(const std::string& path) {
  struct stat status{};
  EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777;
}

// A TLS handshake between Python's server and client, verification on; 0 when it succeeds.
int handshake(const std::string& directory, const Certificate& leaf, const std::string& dialled) {
  write(directory + "/leaf.pem", leaf.chain_pem);
  write(directory + "/leaf-key.pem", leaf.key_pem);
  write(directory + "/handshake.py", R"(
import ssl, sys
directory, name = sys.argv[1:]
server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server.load_cert_chain(directory + '/leaf.pem', directory + '/leaf-key.pem')
client = ssl.create_default_context(cafile=directory + '/ca/ca.pem')
up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
s = server.wrap_bio(up, down, server_side=True)
c = client.wrap_bio(down, up, server_hostname=name)
for turn in range(4):
    for side in (c, s):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLCertVerificationError as error:
            sys.exit(3)
sys.exit(0 if c.version() == 'TLSv1.3' else 4)
)");
  const std::string command = "python3 " + directory + "/handshake.py " + directory + " " + dialled;
  return WEXITSTATUS(std::system(command.c_str()));
}

TEST(Authority, LeavesAreTrustedByRealClientsForTheirNameOnly) {
  const Directory directory;
  const auto authority = open_authority(directory.path + "/ca");
  const Certificate leaf = authority->leaf("sts.eu-west-1.amazonaws.com");
  EXPECT_EQ(handshake(directory.path, leaf, "sts.eu-west-1.amazonaws.com"), 0);
  EXPECT_EQ(handshake(directory.path, leaf, "iam.amazonaws.com"), 3) << "another name must be refused";
  EXPECT_EQ(handshake(directory.path, authority->leaf("127.0.0.1"), "127.0.0.1"), 0);
  EXPECT_EQ(handshake(directory.path, authority->leaf("localhost"), "127.0.0.1"), 0);
  EXPECT_EQ(handshake(directory.path, authority->leaf("198.18.0.4"), "198.18.0.4"), 0);
  const std::string longest = std::string(60, 'a') + "." + std::string(60, 'b') + ".amazonaws.com";
  EXPECT_EQ(handshake(directory.path, authority->leaf(longest), longest), 0) << "longer than a common name can be";
}

TEST(Authority, OpensslVerifiesTheChainStrictly) {
  const Directory directory;
  const auto authority = open_authority(directory.path + "/ca");
  write(directory.path + "/leaf.pem", authority->leaf("s3.amazonaws.com").chain_pem);
  const std::string verify = "openssl verify -x509_strict -verify_hostname s3.amazonaws.com -CAfile " +
                             authority->certificate_path() + " " + directory.path + "/leaf.pem > /dev/null 2>&1";
  EXPECT_EQ(std::system(verify.c_str()), 0);
}

TEST(Authority, KeepsItsKeyToItselfAndItsCertificateOpen) {
  const Directory directory;
  const auto authority = open_authority(directory.path + "/ca");
  EXPECT_EQ(mode_of(directory.path + "/ca/ca-key.pem"), 0600U);
  EXPECT_EQ(mode_of(authority->certificate_path()), 0644U);
}

TEST(Authority, IsTheSameAfterARestartAndMintsOncePerName) {
  const Directory directory;
  const auto first = open_authority(directory.path);
  const Certificate leaf = first->leaf("A.example.com");
  EXPECT_EQ(first->leaf("a.example.com").chain_pem, leaf.chain_pem);
  EXPECT_NE(first->leaf("b.example.com").chain_pem, leaf.chain_pem);
  const auto second = open_authority(directory.path);
  EXPECT_EQ(second->certificate_pem(), first->certificate_pem());
}

TEST(Authority, CompletesAnInterruptedStartButNeverReplacesALostKey) {
  const Directory directory;
  const std::string pem = open_authority(directory.path)->certificate_pem();
  std::filesystem::remove(directory.path + "/ca.pem");
  EXPECT_NE(open_authority(directory.path)->certificate_pem(), pem);
  std::filesystem::remove(directory.path + "/ca-key.pem");
  EXPECT_THROW(open_authority(directory.path), PlaneError);
}

TEST(Authority, RefusesWhatIsNoHostName) {
  const Directory directory;
  const auto authority = open_authority(directory.path);
  for (const char* name : {"", "a,IP:1.2.3.4", "a..b", "a b", "\n", "-*-.com:"})
    EXPECT_THROW(authority->leaf(name), PlaneError) << name;
}

class FixedClock final : public Clock {
 public:
  explicit FixedClock(Time time) : time_(time) {}
  Time now() const override { return time_; }

 private:
  Time time_;
};

TEST(Authority, DatesFollowTheClock) {
  const Directory directory;
  const FixedClock clock(Time{1'893'456'000'000});  // 2030-01-01
  const auto authority = open_authority(directory.path, clock);
  write(directory.path + "/leaf.pem", authority->leaf("a.example.com").chain_pem);
  const std::string at = "openssl verify -CAfile " + directory.path + "/ca.pem -attime ";
  const std::string rest = " " + directory.path + "/leaf.pem > /dev/null 2>&1";
  EXPECT_EQ(std::system((at + "1893400000" + rest).c_str()), 0) << "from the day before";
  EXPECT_EQ(std::system((at + "9223372036" + rest).c_str()), 0) << "as far as the cloud's clock can go";
  EXPECT_NE(std::system((at + "1893200000" + rest).c_str()), 0) << "not earlier";
}

}  // namespace
}  // namespace brume::names

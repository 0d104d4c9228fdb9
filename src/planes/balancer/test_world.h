// For tests: a network namespace with targets and clients in it, away from the host's network. Its addresses are on its
// loopback interface; sockets are made by threads that enter it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace brume::testing {

class TestNetwork {
 public:
  // Throws PlaneError when it cannot be made (not root).
  explicit TestNetwork(const std::vector<std::string>& addresses);
  TestNetwork(const TestNetwork&) = delete;
  TestNetwork& operator=(const TestNetwork&) = delete;
  ~TestNetwork();
  std::string path() const;  // for as long as this lives
  // A listening or a connected socket inside; -1 on failure.
  int listen(const std::string& address, int port) const;
  int connect(const std::string& address, int port) const;
  // The calling thread goes inside for good, and connects from where it is.
  void enter() const;
  static int connect_here(const std::string& address, int port);

 private:
  void inside(const std::function<void()>& function) const;
  int descriptor_ = -1;
};

// An HTTP/1.1 server with keep-alive. Every answer's body is its name and the path; "/head…" answers the request's
// head.
class TestTarget {
 public:
  TestTarget(const TestNetwork& network, std::string address, int port, std::string name);
  TestTarget(const TestTarget&) = delete;
  TestTarget& operator=(const TestTarget&) = delete;
  ~TestTarget();
  std::string id() const { return address_ + ":" + std::to_string(port_); }
  const std::string& address() const { return address_; }
  int port() const { return port_; }
  // The status of the answers to "/health", and to all others.
  std::atomic<int> health_status = 200, status = 200;
  std::atomic<int> served = 0;  // requests other than "/health"
  std::atomic<int> waiting = 0;
  // "/wait" is answered after this.
  void release();
  // Ends at once, as a killed process does: its listening socket and every connection.
  void kill();

 private:
  void accept_all();
  void serve(int connection);
  std::string answer(const std::string& head);

  const std::string address_, name_;
  const int port_;
  int listener_ = -1;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool released_ = false, killed_ = false;
  std::vector<int> connections_;
  std::thread acceptor_;
};

struct TestReply {
  int status = 0;  // 0: no answer
  std::string head, body;
  // The first header of that name, case ignored.
  std::string header(std::string_view name) const;
};
// One request on a connection of its own. `headers` are whole lines with their ends.
TestReply fetch(const TestNetwork& network, const std::string& address, int port, const std::string& path,
                const std::string& headers = "Host: app.example.com\r\n", const std::string& method = "GET");
// One request on an open connection that is kept.
TestReply exchange(int connection, const std::string& path);

// Clients that ask without a pause until they are stopped: half of them keep their connection.
class TestLoad {
 public:
  TestLoad(const TestNetwork& network, std::string address, int port, std::string path, int clients = 4);
  TestLoad(const TestLoad&) = delete;
  TestLoad& operator=(const TestLoad&) = delete;
  ~TestLoad() { stop(); }
  void stop();
  int answered() const { return answered_; }
  int failed() const { return failed_; }
  std::map<std::string, int> by_body();  // after stop

 private:
  void run(bool keep);
  const TestNetwork& network_;
  const std::string address_, path_;
  const int port_;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> answered_ = 0, failed_ = 0;
  std::mutex mutex_;
  std::map<std::string, int> bodies_;
  std::vector<std::thread> threads_;
};

}  // namespace brume::testing

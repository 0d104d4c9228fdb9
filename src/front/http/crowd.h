// Who is connected, and who gives way when there are too many or when they hold too much memory: clients that wait
// before those that are served, each in the order in which they came to it. The server's; I/O thread.
#pragma once

#include <array>
#include <cstddef>
#include <list>
#include <map>
#include <string>

namespace brume::http {

// What a connection is at, in the order in which connections give way. `working`: the whole request is there and its
// answer is not; such a connection never gives way, since the request may have taken effect. `leaving`: it was closed.
enum class Phase { waiting, receiving, answering, working, leaving };

class Crowd {
 public:
  class Guest;

 private:
  struct Group {
    std::size_t limit = 0;                // of those that are not leaving
    std::array<std::list<Guest*>, 5> at;  // by phase, the one that has been at it longest first
    std::size_t size() const { return at[0].size() + at[1].size() + at[2].size() + at[3].size(); }
    bool empty() const { return size() == 0 && at[4].empty(); }
    std::list<Guest*>& in(Phase phase) { return at[static_cast<std::size_t>(phase)]; }
  };
  using Groups = std::map<std::string, Group>;

 public:
  // One connection. It is in the crowd as long as it lives.
  class Guest {
   public:
    Guest(Crowd& crowd, const std::string& label);
    Guest(const Guest&) = delete;
    Guest& operator=(const Guest&) = delete;
    virtual ~Guest();

    // Ends it soon. Calls move_to(leaving).
    virtual void dismiss() = 0;

    Phase phase() const { return phase_; }
    void move_to(Phase phase);
    // Bytes of requests and answers that it holds from now on. Whoever holds more than its share may be dismissed: this
    // one too.
    void hold(std::size_t bytes);

   private:
    friend class Crowd;
    Crowd& crowd_;
    Groups::iterator group_;
    Phase phase_ = Phase::waiting;
    std::size_t held_ = 0;
    std::list<Guest*>::iterator place_;
  };

  Crowd(std::size_t connections, std::size_t held_bytes) : limit_(connections), held_limit_(held_bytes) {}
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  // Before guests come by that label. `limit` of its own; 0: only the whole crowd's.
  void open(const std::string& label, std::size_t limit);
  // Dismisses the label's guests.
  void close(const std::string& label);
  // Makes room for one more, by somebody's leave if it must be. The largest group gives way first, so that one
  // listener's clients cannot shut another's out. False: everybody is being worked for.
  bool make_room(const std::string& label);

  std::size_t held() const { return held_; }

  template <class Function>
  void for_each(Phase phase, Function function) {
    for (auto& [label, group] : groups_)
      for (auto at = group.in(phase).begin(); at != group.in(phase).end();) function(**at++);
  }

 private:
  static bool give_way(Group& group);
  bool release_memory();
  void mind_allocator();
  std::size_t size() const;

  std::size_t limit_, held_limit_;
  std::size_t held_ = 0;
  bool holds_much_ = false;
  Groups groups_;
};

}  // namespace brume::http

// Message move tasks ("Learn how to configure a dead-letter queue redrive in Amazon SQS"): they move what lies in a
// dead-letter queue back to where it came from, or elsewhere, a second's worth at a time. Owned by Sqs; control thread.
#pragma once

#include <string>
#include <vector>

#include "core/runtime.h"
#include "services/sqs/records.h"
#include "store/table.h"

namespace brume::sqs {

struct Sqs;
struct Queue;

class MoveTasks {
 public:
  explicit MoveTasks(Sqs& sqs);
  MoveTasks(const MoveTasks&) = delete;
  MoveTasks& operator=(const MoveTasks&) = delete;

  void resume();  // at a start
  // The new task's handle. Throws UnsupportedOperation.
  std::string start(Tx& tx, const Queue& source, const std::string& destination, std::int64_t per_second, Time now);
  // How many were moved. Throws ResourceNotFoundException, UnsupportedOperation.
  std::int64_t cancel(Tx& tx, const Scope& scope, const std::string& handle);
  // The latest first.
  std::vector<const MoveTaskRecord*> of_source(const Scope& scope, const std::string& source_arn) const;

  static std::string handle_of(const MoveTaskRecord& task);
  // The source's ARN in a handle; empty: it is none.
  static std::string source_in(const std::string& handle);

 private:
  void run(const Scope& scope, const std::string& id);
  void move(const Scope& scope, MoveTaskRecord& task);
  void run_in(const Scope& scope, const std::string& id, Duration span);

  Sqs& sqs_;
  Table<MoveTaskRecord> tasks_;
  TableIndex<MoveTaskRecord> by_source_;
};

}  // namespace brume::sqs

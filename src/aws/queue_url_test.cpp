#include "aws/queue_url.h"

#include <gtest/gtest.h>

namespace brume {
namespace {

TEST(QueueUrl, IsTakenApartWhereverTheQueueIsServed) {
  const QueueAddress orders{"sqs.eu-west-1.amazonaws.com", "111122223333", "orders"};
  EXPECT_EQ(parse_queue_url("https://sqs.eu-west-1.amazonaws.com/111122223333/orders"), orders);
  EXPECT_EQ(parse_queue_url("https://sqs.eu-west-1.amazonaws.com/111122223333/orders/"), orders);
  EXPECT_EQ(parse_queue_url("http://127.0.0.1:4566/111122223333/a.fifo"),
            (QueueAddress{"127.0.0.1", "111122223333", "a.fifo"}));
  EXPECT_EQ(parse_queue_url("/111122223333/orders"), (QueueAddress{"", "111122223333", "orders"}));
}

TEST(QueueUrl, MayBeANameAloneAndMayNameNothing) {
  EXPECT_EQ(parse_queue_url("orders"), (QueueAddress{"", "", "orders"}));
  EXPECT_EQ(parse_queue_url("http://nowhere"), (QueueAddress{"nowhere", "", ""}));
  EXPECT_EQ(parse_queue_url(""), QueueAddress());
  EXPECT_EQ(parse_queue_url("http:///"), QueueAddress());
}

}  // namespace
}  // namespace brume

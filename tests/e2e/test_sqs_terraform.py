"""SQS by Terraform's AWS provider: queues of both kinds, their policies, applied, changed in place, planned clean, destroyed.
The provider waits for every change to be seen six times; the cloud's clock runs faster for it."""
import json

PREAMBLE = """
provider "aws" {
  region     = "eu-west-1"
  access_key = "test"
  secret_key = "test"
}
variable "stage" { default = "one" }
"""
SYSTEM = PREAMBLE + """
locals { later = var.stage == "two" }

resource "aws_sqs_queue" "dead" {
  name                      = "orders-dead"
  message_retention_seconds = 1209600
}

resource "aws_sqs_queue" "orders" {
  name                       = "orders"
  visibility_timeout_seconds = local.later ? 45 : 30
  delay_seconds              = local.later ? 5 : 0
  receive_wait_time_seconds  = 10
  tags                       = { stage = var.stage }
}

resource "aws_sqs_queue_redrive_policy" "orders" {
  queue_url      = aws_sqs_queue.orders.id
  redrive_policy = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead.arn, maxReceiveCount = local.later ? 5 : 4 })
}

resource "aws_sqs_queue_redrive_allow_policy" "dead" {
  queue_url            = aws_sqs_queue.dead.id
  redrive_allow_policy = jsonencode({ redrivePermission = "byQueue", sourceQueueArns = [aws_sqs_queue.orders.arn] })
}

data "aws_iam_policy_document" "orders" {
  statement {
    actions   = local.later ? ["sqs:SendMessage", "sqs:GetQueueAttributes"] : ["sqs:SendMessage"]
    resources = [aws_sqs_queue.orders.arn]
    principals {
      type        = "AWS"
      identifiers = ["111122223333"]
    }
  }
}

resource "aws_sqs_queue_policy" "orders" {
  queue_url = aws_sqs_queue.orders.id
  policy    = data.aws_iam_policy_document.orders.json
}

resource "aws_sqs_queue" "steps" {
  name                        = "steps.fifo"
  fifo_queue                  = true
  content_based_deduplication = true
  deduplication_scope         = "messageGroup"
  fifo_throughput_limit       = "perMessageGroupId"
  sqs_managed_sse_enabled     = true
}

output "url" { value = aws_sqs_queue.orders.url }
"""
SPEED = 60


def test_queues_are_made_changed_in_place_and_destroyed(cloud):
    (cloud.work / 'main.tf').write_text(SYSTEM)

    def terraform(*words, check=True):
        return cloud.terraform(cloud.work, *words, '-no-color', check=check, speed=SPEED)
    terraform('init')
    assert '6 added' in terraform('apply', '-auto-approve').stdout
    assert terraform('plan', '-detailed-exitcode', check=False).returncode == 0
    sqs = cloud.client('sqs')
    url = cloud.terraform(cloud.work, 'output', '-raw', 'url').stdout
    assert url == 'https://sqs.eu-west-1.amazonaws.com/000000000000/orders'
    message = sqs.send_message(QueueUrl=url, MessageBody='kept')['MessageId']
    changed = terraform('apply', '-auto-approve', '-var', 'stage=two').stdout
    assert '0 added, 3 changed, 0 destroyed' in changed, changed
    assert terraform('plan', '-detailed-exitcode', '-var', 'stage=two', check=False).returncode == 0
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=['All'])['Attributes']
    assert (attributes['VisibilityTimeout'], attributes['DelaySeconds']) == ('45', '5')
    assert json.loads(attributes['RedrivePolicy'])['maxReceiveCount'] == 5
    assert sqs.list_queue_tags(QueueUrl=url)['Tags'] == {'stage': 'two'}
    assert sqs.receive_message(QueueUrl=url)['Messages'][0]['MessageId'] == message
    assert '6 destroyed' in terraform('destroy', '-auto-approve', '-var', 'stage=two').stdout
    assert 'QueueUrls' not in sqs.list_queues()

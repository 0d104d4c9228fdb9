// The JavaScript SDK against whatever its environment names: one round through S3, DynamoDB, EC2 and STS.
import { DynamoDBClient, CreateTableCommand, PutItemCommand, GetItemCommand, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import { EC2Client, DescribeVpcsCommand, RunInstancesCommand } from '@aws-sdk/client-ec2';
import { S3Client, CreateBucketCommand, PutObjectCommand, GetObjectCommand } from '@aws-sdk/client-s3';
import { STSClient, GetCallerIdentityCommand } from '@aws-sdk/client-sts';

const s3 = new S3Client({});
await s3.send(new CreateBucketCommand({ Bucket: 'javascript' }));
await s3.send(new PutObjectCommand({ Bucket: 'javascript', Key: 'a/b c', Body: 'from node' }));
const read = await s3.send(new GetObjectCommand({ Bucket: 'javascript', Key: 'a/b c' }));

const dynamodb = new DynamoDBClient({});
await dynamodb.send(new CreateTableCommand({
  TableName: 'javascript', BillingMode: 'PAY_PER_REQUEST', KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
  AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
}));
await waitUntilTableExists({ client: dynamodb, minDelay: 1, maxWaitTime: 30 }, { TableName: 'javascript' });
await dynamodb.send(new PutItemCommand({ TableName: 'javascript', Item: { id: { S: '1' }, n: { N: '42' } } }));
const item = await dynamodb.send(new GetItemCommand({ TableName: 'javascript', Key: { id: { S: '1' } } }));

const ec2 = new EC2Client({});
const vpcs = await ec2.send(new DescribeVpcsCommand({}));
let refused = {};
try {
  await ec2.send(new RunInstancesCommand({ ImageId: 'ami-1', MinCount: 1, MaxCount: 1 }));
} catch (error) {
  refused = { name: error.name, status: error.$metadata.httpStatusCode, attempts: error.$metadata.attempts };
}
const identity = await new STSClient({}).send(new GetCallerIdentityCommand({}));
console.log(JSON.stringify({
  body: await read.Body.transformToString(), item: item.Item.n.N, vpcs: vpcs.Vpcs.length, refused, arn: identity.Arn,
}));

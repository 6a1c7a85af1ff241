// A downstream function: learns from a queue that a customer logged in, and reads the access token.
// A trading system would now begin its customer's day. This example prints one line, and never the token.

import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import { IdempotencyConfig, makeIdempotent } from '@aws-lambda-powertools/idempotency';
import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { type BrokerToken, type LoginEvent, readToken, TokenGone } from './token.ts';

const TOKENS_TABLE = required('BROKERLINK_TOKENS_TABLE');

// An event is announced at least once; within a day, after which its token is dead, it is acted on once.
const config = new IdempotencyConfig({
  eventKeyJmesPath: 'id',
  throwOnNoIdempotencyKey: true,
  expiresAfterSeconds: 24 * 60 * 60,
});
const persistenceStore = new DynamoDBPersistenceLayer({ tableName: required('PROCESSED_EVENTS_TABLE') });
const processor = new BatchProcessor(EventType.SQS);
const once = makeIdempotent(take, { persistenceStore, config });

/** Takes a batch of SQS messages; returns which of them failed, to come again after a while. */
export async function handler(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  config.registerLambdaContext(context);
  return processPartialResponse(event, receive, processor, { context, throwOnFullBatchFailure: false });
}

async function receive(record: SQSRecord): Promise<void> {
  try {
    const event = loginEvent(record.body);
    if (event.type === 'brokerlink.token.issued.v1') await once(event);
  } catch (error) {
    console.error('an event could not be handled and will come again:', error instanceof Error ? error.name : error);
    throw error;
  }
}

// What it returns would be stored beside the event's id: it must never be a token.
async function take(event: LoginEvent): Promise<void> {
  try {
    const token = await readToken(event, TOKENS_TABLE);
    // A later login has replaced the token: its own event is acted on.
    if (token.attemptId === event.id) act(token);
  } catch (error) {
    if (!(error instanceof TokenGone)) throw error;
    // Trying again would not bring it back: the customer logs in again, and that is another event.
    console.warn(`there is no token to act on: ${error.message}`);
  }
}

function act(token: BrokerToken): void {
  const until = new Date(token.expiresAt * 1000).toLocaleString('en-IN', { timeZone: 'Asia/Kolkata' });
  console.log(`${token.broker} ${token.account}: logged in until ${until} IST`);
}

function loginEvent(body: string): LoginEvent {
  let event: LoginEvent | null = null;
  try {
    event = JSON.parse(body);
  } catch {
    // Not thrown on: its message quotes the body.
  }
  if (typeof event?.id !== 'string' || typeof event.type !== 'string' || typeof event.data?.user_id !== 'string') {
    throw new TypeError('this is not a brokerlink event');
  }
  return event;
}

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is missing from the function's environment`);
  return value;
}

// Reads the token that an event announced, as brokerlink.reader does in Python.

import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { DecryptCommand, KMSClient } from '@aws-sdk/client-kms';

/** The event, as far as a consumer needs it. Fields that are not known are ignored. Times are epoch seconds. */
export interface LoginEvent {
  readonly id: string;
  readonly type: string;
  readonly data: {
    readonly broker: string;
    readonly account: string;
    readonly user_id: string;
    readonly issued_at: number;
  };
}

/** A live access token. The token itself is no property, so that nothing which prints or serialises this shows it. */
export class BrokerToken {
  readonly broker: string;
  readonly account: string;
  readonly userId: string;
  readonly attemptId: string;
  readonly expiresAt: number;
  readonly #accessToken: string;

  constructor(event: LoginEvent, attemptId: string, expiresAt: number, accessToken: string) {
    this.broker = event.data.broker;
    this.account = event.data.account;
    this.userId = event.data.user_id;
    this.attemptId = attemptId;
    this.expiresAt = expiresAt;
    this.#accessToken = accessToken;
  }

  get accessToken(): string {
    return this.#accessToken;
  }

  /** What Pocketful's and 5paisa's APIs want to see. */
  get headers(): Record<string, string> {
    return { Authorization: `Bearer ${this.#accessToken}` };
  }
}

/** There is no token that the event can mean, or it has ended: the customer has to log in again. */
export class TokenGone extends Error {}

const dynamodb = new DynamoDBClient();
const kms = new KMSClient();

/** Reads by key, consistently, and decrypts under the context of that key. Throws `TokenGone`, and the SDK's errors. */
export async function readToken(event: LoginEvent, table: string): Promise<BrokerToken> {
  const { broker, account, user_id } = event.data;
  const whose = `${broker}/${account}`;
  const { Item: row } = await dynamodb.send(
    new GetItemCommand({
      TableName: table,
      Key: { user_id: { S: user_id }, connection: { S: `${broker}#${account}` } },
      ConsistentRead: true,
    }),
  );
  if (row === undefined) throw new TokenGone(`no token of ${whose} for this user`);
  const attemptId = row['attempt_id']?.S ?? '';
  const issuedAt = Math.floor(Number(row['issued_at_ms']?.N) / 1000);
  // The row is the event's own, or that of a later login.
  if (attemptId !== event.id && !(issuedAt > event.data.issued_at)) {
    throw new TokenGone(`the token of ${whose} is older than the event`);
  }
  const expiresAt = Number(row['expires_at']?.N);
  // TTL removes rows late: the clock decides. A second for clocks that differ.
  if (!(Date.now() / 1000 + 1 <= expiresAt)) throw new TokenGone(`the token of ${whose} has ended`);
  const opened = await kms.send(
    new DecryptCommand({
      CiphertextBlob: row['ciphertext']?.B,
      EncryptionContext: { purpose: 'broker-access-token', broker, account, user_id },
    }),
  );
  const accessToken = new TextDecoder('utf-8', { fatal: true }).decode(opened.Plaintext);
  return new BrokerToken(event, attemptId, expiresAt, accessToken);
}

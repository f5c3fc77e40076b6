import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { MessageRefused, type models, Spark, StreamEnded, type StreamPosition, type Stream } from "../src/index.js";

// What the stream does with what a sound server never sends, and with each way a connection can end; against written frames.

const wait = 20_000;

/** One connection, as a server sees it. */
class Peer {
  static readonly arrived: Peer[] = [];
  static wake: (() => void) | undefined;
  onopen?: () => void;
  onmessage?: (message: { data: string }) => void;
  onclose?: (event: { code: number }) => void;
  readyState = 0;
  private readonly received: Record<string, unknown>[] = [];
  private wake: (() => void) | undefined;

  constructor(readonly address: string) {
    Peer.arrived.push(this);
    Peer.wake?.();
  }

  /** The next connection, and its first frame. */
  static async next(): Promise<{ peer: Peer; hello: Record<string, unknown> }> {
    while (Peer.arrived.length === 0) await new Promise<void>((resolve) => (Peer.wake = resolve));
    const peer = Peer.arrived.shift()!;
    peer.readyState = 1;
    peer.onopen?.();
    return { peer, hello: await peer.read() };
  }

  /** What the client calls. */
  send(text: string): void {
    this.received.push(JSON.parse(text));
    this.wake?.();
  }

  close(): void {
    this.readyState = 3;
  }

  async read(): Promise<Record<string, unknown>> {
    while (this.received.length === 0) await new Promise<void>((resolve) => (this.wake = resolve));
    return this.received.shift()!;
  }

  give(...frames: object[]): void {
    for (const frame of frames) this.onmessage?.({ data: JSON.stringify(frame) });
  }

  end(code: number): void {
    this.onclose?.({ code });
  }
}

const welcome = (offset: number, epoch = "e") => ({ type: "welcome", epoch, offset, heartbeat_seconds: 25 });
const message = (offset: number) => ({ type: "message", offset, conversation: "cnv_0", seq: offset, text: `${offset}` });
const original = globalThis.WebSocket;

before(() => void Object.assign(globalThis, { WebSocket: Peer }));
after(() => void Object.assign(globalThis, { WebSocket: original }));

async function withStream(position: StreamPosition | undefined, body: (stream: Stream, client: Spark) => Promise<void>) {
  const client = new Spark("http://spark.test", {
    tokens: { access: "old", refresh: "refresh" },
    fetch: async (input) => {
      const isRefresh = String(input).endsWith("/auth/refresh");
      const tokens = { access_token: "new", refresh_token: "next", expires_in: 900 };
      return new Response(JSON.stringify(isRefresh ? tokens : { ticket: "t", expires_in: 30 }));
    },
  });
  const stream = client.stream({ position });
  try {
    await body(stream, client);
  } finally {
    await stream.close();
    Peer.arrived.length = 0;
  }
}

const offset = async (stream: Stream) => ((await stream.next(wait)) as models.ServerMessageFrame).offset;

test("an old event is dropped, and a missing one is asked for", () =>
  withStream({ epoch: "e", offset: 3 }, async (stream) => {
    const first = await Peer.next();
    assert.equal(first.peer.address, "ws://spark.test/api/v1/ws?ticket=t");
    assert.deepEqual(first.hello, { type: "hello", v: 1, epoch: "e", offset: 3 });
    first.peer.give(welcome(4), message(3), message(4), message(4), message(6));
    assert.equal(await offset(stream), 4);
    const second = await Peer.next();
    assert.equal(second.hello["offset"], 4);
    second.peer.give(welcome(6), message(5), message(6));
    assert.deepEqual([await offset(stream), await offset(stream)], [5, 6]);
    assert.deepEqual(stream.position, { epoch: "e", offset: 6 });
  }));

test("after a resync it goes on from the present, in the new epoch", () =>
  withStream({ epoch: "e", offset: 300 }, async (stream) => {
    const { peer } = await Peer.next();
    peer.give(welcome(7, "f"), { type: "resync", reason: "epoch" }, message(8));
    assert.equal((await stream.next(wait)).type, "resync");
    assert.deepEqual(stream.position, { epoch: "f", offset: 7 });
    assert.equal(await offset(stream), 8);
    peer.end(1012);
    const { hello } = await Peer.next();
    assert.deepEqual([hello["epoch"], hello["offset"]], ["f", 8]);
  }));

test("messages wait for live, and are repeated after a temporary refusal", () =>
  withStream(undefined, async (stream) => {
    const [first, second] = [
      stream.sendMessage("cnv_0", "one", { clientId: "one" }),
      stream.sendMessage("cnv_0", "two", { clientId: "two" }),
    ];
    const { peer } = await Peer.next();
    peer.give(welcome(0), { type: "live", offset: 0 });
    assert.deepEqual([(await peer.read())["client_id"], (await peer.read())["client_id"]], ["one", "two"]);
    peer.give(
      { type: "nack", client_id: "one", code: "chat.busy", temporary: true, retry_after: 1 },
      { type: "ack", client_id: "two", conversation: "cnv_0", seq: 1, sent_at: "" },
    );
    assert.equal((await second.answer).seq, 1);
    assert.deepEqual(stream.outbox.map((frame) => frame.client_id), ["one"]);
    assert.equal((await peer.read())["client_id"], "one");
    peer.give({ type: "nack", client_id: "one", code: "chat.gone", temporary: false });
    await assert.rejects(first.answer, (error) => error instanceof MessageRefused && error.code === "chat.gone");
    assert.deepEqual(stream.outbox, []);
  }));

test("a token that ended is renewed", () =>
  withStream(undefined, async (_, client) => {
    const { peer } = await Peer.next();
    peer.end(4001);
    await Peer.next();
    assert.equal(client.tokens?.access, "new");
  }));

test("it does not come back when it must not", () =>
  withStream(undefined, async (stream) => {
    const sending = stream.sendMessage("cnv_0", "Hello");
    (await Peer.next()).peer.end(4500);
    await assert.rejects(stream.next(wait), (error) => error instanceof StreamEnded);
    await assert.rejects(sending.answer, (error) => error instanceof StreamEnded);
  }));

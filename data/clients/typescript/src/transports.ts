import { orAborted, type Spark } from "./client.js";
import type { ServerFrame } from "./models.js";
import { SparkProblem } from "./problem.js";

/** The last event that a device has. Keep it, and give it to the next stream. */
export interface StreamPosition {
  epoch: string;
  offset: number;
}

/** One connection of a stream. */
export interface Connection {
  /** The server's frames, until the connection ends. Fails with `ConnectionEnd` if the server gave a reason. */
  frames: AsyncIterable<ServerFrame>;
  /** Sends a frame; absent if the connection carries none. */
  send?: (text: string) => void;
  /** Breaks the connection. */
  abort: () => void;
}

/** The end of a connection. */
export class ConnectionEnd extends Error {
  override readonly name = "ConnectionEnd";

  /** @param code the close code (RFC 6455, section 7.4); undefined if the connection broke. */
  constructor(readonly code?: number) {
    super(`the connection ended: ${code ?? "it broke"}`);
  }
}

export type TransportName = "websocket" | "events" | "polling";

export type Transport = (
  client: Spark,
  position: () => StreamPosition | undefined,
  device: string | undefined,
) => Promise<Connection>;

/** The longest silence of an event stream, in milliseconds; the server breaks it every 15 seconds. */
const longestSilence = 45_000;

/** This platform's best transport. */
export function bestTransport(): TransportName {
  return typeof WebSocket !== "undefined" ? "websocket" : "events";
}

export const transports: Record<TransportName, Transport> = {
  websocket: async (client, position, device) => {
    // A browser sends no header fields with a WebSocket, so a ticket takes the token's place.
    const { ticket } = await client.postWsTicket();
    const address = client.url.replace(/^http/, "ws") + `/api/v1/ws?ticket=${encodeURIComponent(ticket)}`;
    const socket = new WebSocket(address, "spark.v1");
    const inbox = new Inbox<ServerFrame>();
    let heartbeat: ReturnType<typeof setInterval> | undefined;
    let heard = Date.now();
    const finish = (end: ConnectionEnd) => {
      clearInterval(heartbeat);
      inbox.fail(end);
    };
    const abort = () => {
      finish(new ConnectionEnd());
      socket.close();
    };
    const beat = (period: number) => {
      clearInterval(heartbeat);
      heartbeat = setInterval(() => {
        if (Date.now() - heard > 3 * period) abort();
        else if (socket.readyState === 1) socket.send('{"type":"ping"}');
      }, period);
    };
    socket.onopen = () => {
      beat(10_000);
      socket.send(JSON.stringify({ type: "hello", v: 1, ...position(), ...(device === undefined ? {} : { device }) }));
    };
    socket.onmessage = (message) => {
      heard = Date.now();
      const frame = JSON.parse(String(message.data));
      if (frame.type === "welcome") beat(frame.heartbeat_seconds * 1_000);
      for (const one of frame.type === "batch" ? frame.frames : [frame]) inbox.add(one);
    };
    socket.onclose = (event) => finish(new ConnectionEnd(event.code === 1006 ? undefined : event.code));
    socket.onerror = () => finish(new ConnectionEnd());
    return { frames: inbox, abort, send: (text) => socket.send(text) };
  },

  events: async (client, position) => {
    const abort = new AbortController();
    const response = await client.request("GET", "/api/v1/stream" + after(position()), {
      headers: { Accept: "text/event-stream", ...authorization(client) },
      signal: abort.signal,
      isEndless: true,
    });
    if (response.status !== 200) {
      throw SparkProblem.read(response.status, await response.text(), response.headers.get("Retry-After"));
    }
    // React Native's fetch gives no parts of a body.
    if (!response.body) {
      abort.abort();
      return transports.polling(client, position, undefined);
    }
    return { frames: eventFrames(response.body.getReader(), abort), abort: () => abort.abort() };
  },

  polling: async (client, position) => {
    const abort = new AbortController();
    return { frames: polledFrames(client, position, abort.signal), abort: () => abort.abort() };
  },
};

function authorization(client: Spark): Record<string, string> {
  return client.tokens === undefined ? {} : { Authorization: `Bearer ${client.tokens.access}` };
}

function after(position: StreamPosition | undefined): string {
  return position === undefined ? "" : `?offset=${position.offset}&epoch=${encodeURIComponent(position.epoch)}`;
}

/** Server-Sent Events (WHATWG HTML, section 9.2), of which the server uses the field `data` alone. */
async function* eventFrames(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  abort: AbortController,
): AsyncGenerator<ServerFrame> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    while (true) {
      const timer = setTimeout(() => abort.abort(), longestSilence);
      const { done, value } = await orAborted(reader.read(), abort.signal).finally(() => clearTimeout(timer));
      if (done) return;
      text += decoder.decode(value, { stream: true });
      const events = text.split("\n\n");
      text = events.pop() ?? "";
      for (const event of events) {
        const data = event.split("\n").find((line) => line.startsWith("data: "));
        if (data !== undefined) yield JSON.parse(data.slice("data: ".length));
      }
    }
  } finally {
    abort.abort();
    reader.cancel().catch(() => undefined);
  }
}

/** The frames of a WebSocket, from polls: the beginning is made from the first answer. */
async function* polledFrames(
  client: Spark,
  position: () => StreamPosition | undefined,
  signal: AbortSignal,
): AsyncGenerator<ServerFrame, void, undefined> {
  const most = 100;
  let [isFirst, isLive] = [true, false];
  while (true) {
    const known = position();
    const page = await client.getPoll({
      ...(known === undefined ? {} : { offset: String(known.offset), epoch: known.epoch }),
      wait: isLive ? 20 : 0,
      limit: most,
      signal,
    });
    if (isFirst || page.resync !== undefined) {
      yield { type: "welcome", epoch: page.epoch, offset: page.offset } as ServerFrame;
      if (page.resync !== undefined) yield { type: "resync", reason: page.resync };
    }
    yield* page.frames;
    isFirst = false;
    if (!isLive && page.frames.length < most) {
      isLive = true;
      yield { type: "live", offset: page.offset };
    }
  }
}

/** Values that one reader waits for. */
class Inbox<Value> implements AsyncIterable<Value> {
  private readonly values: Value[] = [];
  private failure: Error | undefined;
  private wake: (() => void) | undefined;

  add(value: Value): void {
    this.values.push(value);
    this.wake?.();
  }

  fail(failure: Error): void {
    this.failure ??= failure;
    this.wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Value> {
    while (true) {
      const value = this.values.shift();
      if (value !== undefined) yield value;
      else if (this.failure !== undefined) throw this.failure;
      else await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }
}

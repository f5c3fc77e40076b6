import { pause, randomId, sleep, type Spark } from "./client.js";
import type * as m from "./models.js";
import { SparkProblem, SparkUnreachable } from "./problem.js";
import {
  bestTransport,
  type Connection,
  ConnectionEnd,
  type StreamPosition,
  type TransportName,
  transports,
} from "./transports.js";

export interface StreamOptions {
  /** Where an earlier stream of this device ended; without it, only new events. */
  position?: StreamPosition | undefined;
  /** A newer connection of the same device replaces the older one. WebSockets only. */
  device?: string | undefined;
  /** The platform's best by default: WebSocket, else events over fetch, else polling. */
  transport?: TransportName | undefined;
}

/** The stream is over and will not come back: it was closed, the session has ended, or the server refuses it. */
export class StreamEnded extends Error {
  override readonly name = "StreamEnded";
}

/** The server will not store a message. */
export class MessageRefused extends Error {
  override readonly name = "MessageRefused";

  /** @param code stable: `chat.gone`. */
  constructor(readonly code: string) {
    super(`the message was refused: ${code}`);
  }
}

/** No frame came in time. */
export class StreamTimeout extends Error {
  override readonly name = "StreamTimeout";
}

/** A message on its way. It stays in the outbox until the server has answered. */
export interface Sending {
  frame: m.ClientMessageSendFrame;
  /** Fails with `MessageRefused` or `StreamEnded`. */
  answer: Promise<m.ServerAckFrame>;
}

interface Waiting extends Sending {
  resolve: (ack: m.ServerAckFrame) => void;
  reject: (error: Error) => void;
}

/** Frames that the stream itself needs. All others are the reader's. */
const own = new Set(["welcome", "pong", "ack", "nack", "auth", "bye"]);
/** After a close code from here on, a client must not come back. */
const firstFinalCode = 4500;
const tokenEnded = 4001;
/** How long before its end an access token is renewed, in milliseconds. */
const ahead = 60_000;

/**
 * A person's events, and a way to send. Connects again whenever the connection ends, until it is closed.
 *
 * Iterating gives the server's frames in order: each numbered event once, `live` when everything missed was read, `resync`
 * when events are missing and the app must read again what it shows, and the signals (`typing`, `presence`, `unread`,
 * `history`, `error`), which are lost while there is no connection.
 */
export class Stream implements AsyncIterable<m.ServerFrame> {
  private readonly frames: { frame: m.ServerFrame; position: StreamPosition | undefined }[] = [];
  private readonly waiting = new Map<string, Waiting>();
  private readonly closing = new AbortController();
  private transport: TransportName;
  /** What was received, which is ahead of what the reader has taken. */
  private received: StreamPosition | undefined;
  private taken: StreamPosition | undefined;
  /** Where the present of this connection is. */
  private present: StreamPosition | undefined;
  private connection: Connection | undefined;
  /** Whether the connection is past `live`, so that messages may be sent. */
  private isLive = false;
  private isPosting = false;
  private resend: ReturnType<typeof setTimeout> | undefined;
  private afterBye: number | undefined;
  /** How many connections in a row did not work. */
  private failures = 0;
  private end: StreamEnded | undefined;
  private wake: (() => void) | undefined;
  private readonly finished: Promise<void>;

  constructor(
    private readonly client: Spark,
    private readonly options: StreamOptions,
  ) {
    this.transport = options.transport ?? bestTransport();
    this.received = this.taken = options.position;
    this.finished = this.run();
  }

  /** The last event that the reader has taken; undefined before the first connection. */
  get position(): StreamPosition | undefined {
    return this.taken;
  }

  /** The messages that the server has not answered, oldest first. Keep them to send them after a restart. */
  get outbox(): m.ClientMessageSendFrame[] {
    return Array.from(this.waiting.values(), (sending) => sending.frame);
  }

  /** Ends the stream. Messages in the outbox are not sent any more. */
  async close(): Promise<void> {
    this.closing.abort();
    this.connection?.abort();
    await this.finished;
  }

  /** Breaks the connection, as a network does; the stream connects again. For tests. */
  cut(): void {
    this.connection?.abort();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<m.ServerFrame> {
    while (true) {
      try {
        yield await this.next();
      } catch (error) {
        if (error instanceof StreamEnded && this.closing.signal.aborted) return;
        throw error;
      }
    }
  }

  /**
   * The next frame. Only one reader may wait at a time. Fails with `StreamTimeout`, or with `StreamEnded` after the last one.
   * @param timeout in milliseconds; none by default.
   */
  async next(timeout?: number): Promise<m.ServerFrame> {
    const deadline = timeout === undefined ? undefined : Date.now() + timeout;
    while (true) {
      const first = this.frames.shift();
      if (first !== undefined) {
        this.taken = first.position;
        return first.frame;
      }
      if (this.end !== undefined) throw this.end;
      const left = deadline === undefined ? undefined : deadline - Date.now();
      if (left !== undefined && left <= 0) throw new StreamTimeout(`no frame within ${timeout} ms`);
      await new Promise<void>((resolve) => {
        const timer = left === undefined ? undefined : setTimeout(resolve, left);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** The next frame of a type; skips others. */
  async waitFor<Type extends m.ServerFrame["type"]>(
    type: Type,
    timeout: number,
  ): Promise<Extract<m.ServerFrame, { type: Type }>> {
    const deadline = Date.now() + timeout;
    while (true) {
      const frame = await this.next(Math.max(0, deadline - Date.now()));
      if (frame.type === type) return frame as Extract<m.ServerFrame, { type: Type }>;
    }
  }

  /**
   * Puts a message into the outbox and sends it as soon as there is a connection.
   * @param options.clientId of a message that was in the outbox of an earlier stream.
   */
  sendMessage(conversation: string, text: string, options: { kind?: m.MessageContent; clientId?: string } = {}): Sending {
    if (this.end !== undefined || this.closing.signal.aborted) throw this.end ?? new StreamEnded("the stream was closed");
    const frame: m.ClientMessageSendFrame = {
      type: "message.send",
      client_id: options.clientId ?? randomId(),
      conversation,
      kind: options.kind ?? "text",
      text,
    };
    let parts: Pick<Waiting, "resolve" | "reject"> | undefined;
    const answer = new Promise<m.ServerAckFrame>((resolve, reject) => (parts = { resolve, reject }));
    // An app may look at the answer later, or never.
    answer.catch(() => undefined);
    const sending = { frame, answer, ...(parts as unknown as Pick<Waiting, "resolve" | "reject">) };
    this.waiting.set(frame.client_id, sending);
    if (this.isLive && this.resend === undefined) {
      if (this.connection?.send) this.send(frame);
      else void this.post();
    }
    return { frame, answer };
  }

  /** Sends another frame, such as `typing`. Returns false, and sends nothing, without a WebSocket that is open. */
  send(frame: m.ClientFrame): boolean {
    if (!this.isLive || !this.connection?.send) return false;
    try {
      this.connection.send(JSON.stringify(frame));
      return true;
    } catch {
      return false;
    }
  }

  // The connection

  private async run(): Promise<void> {
    while (!this.closing.signal.aborted) {
      const began = Date.now();
      this.failures = Math.min(this.failures + 1, 10);
      let wait: number | undefined;
      try {
        wait = await this.connect();
      } catch (error) {
        if (error instanceof StreamEnded) {
          this.end = error;
          break;
        }
        if (error instanceof SparkProblem) wait = error.retryAfter;
      }
      if (Date.now() - began > 5_000) this.failures = 0;
      await sleep(wait ?? pause(this.failures - 1, 30_000), this.closing.signal).catch(() => undefined);
    }
    clearTimeout(this.resend);
    this.end ??= new StreamEnded("the stream was closed");
    for (const sending of this.waiting.values()) sending.reject(this.end);
    this.waiting.clear();
    this.wake?.();
  }

  /** One connection, to its end. Returns how long to wait before the next; undefined to let the stream decide. */
  private async connect(): Promise<number | undefined> {
    const token = this.client.tokens?.access;
    if (token === undefined) throw new StreamEnded("nobody is signed in");
    this.afterBye = undefined;
    let renewal: ReturnType<typeof setInterval> | undefined;
    try {
      const connection = await transports[this.transport](this.client, () => this.received, this.options.device);
      this.connection = connection;
      if (this.closing.signal.aborted) return 0;
      renewal = setInterval(() => void this.renewAhead(), 5_000);
      for await (const frame of connection.frames) {
        // A gap: the server sends everything after the last event again.
        if (!this.take(frame)) return 0;
      }
      return this.afterBye;
    } catch (error) {
      // The network broke what had worked.
      if (this.isLive && !(error instanceof ConnectionEnd && error.code !== undefined)) this.failures = 0;
      if (error instanceof ConnectionEnd) return await this.ended(error, token);
      if (error instanceof SparkProblem && error.status === 401) return await this.renewed(token);
      if (error instanceof SparkProblem && error.status < 429) throw new StreamEnded(error.message);
      if (error instanceof SparkProblem || error instanceof SparkUnreachable) throw error;
      return this.afterBye;
    } finally {
      clearInterval(renewal);
      this.connection?.abort();
      this.connection = undefined;
      this.isLive = false;
    }
  }

  private async ended(end: ConnectionEnd, token: string): Promise<number | undefined> {
    if (end.code !== undefined && end.code >= firstFinalCode) throw new StreamEnded(end.message);
    if (end.code === tokenEnded) return await this.renewed(token);
    return this.afterBye;
  }

  private async renewed(token: string): Promise<number> {
    if (!(await this.client.renew(token))) throw new StreamEnded("the session has ended");
    return 0;
  }

  /** Gives the connection a new token before the old one ends. */
  private async renewAhead(): Promise<void> {
    const { tokens, accessEnds } = this.client;
    if (!this.isLive || tokens === undefined || accessEnds === undefined || Date.now() < accessEnds - ahead) return;
    try {
      await this.client.renew(tokens.access);
      if (this.client.tokens) this.send({ type: "auth", token: this.client.tokens.access });
    } catch {
      // The connection ends with its token, and the next one tries again.
    }
  }

  /** Takes a frame; false if events before it are missing. */
  private take(frame: m.ServerFrame): boolean {
    switch (frame.type) {
      case "welcome":
        this.present = { epoch: frame.epoch, offset: frame.offset };
        if (this.received === undefined) this.received = this.taken = this.present;
        break;
      case "resync":
        // Go on from the present, of which `welcome` told.
        this.received = this.present;
        this.client.forgetProfiles();
        break;
      case "live":
        this.isLive = true;
        this.sendAll();
        break;
      case "ack":
      case "nack":
        this.answered(frame);
        break;
      case "bye":
        this.afterBye = frame.after_seconds * 1_000;
        break;
      default:
        if ("offset" in frame && this.received !== undefined) {
          if (frame.offset <= this.received.offset) return true;
          if (frame.offset > this.received.offset + 1) return false;
          this.received = { epoch: this.received.epoch, offset: frame.offset };
        }
        if (frame.type === "unmatch") this.client.forgetProfiles();
    }
    if (!own.has(frame.type)) {
      this.frames.push({ frame, position: this.received });
      this.wake?.();
    }
    return true;
  }

  // The outbox

  private answered(frame: m.ServerAckFrame | m.ServerNackFrame): void {
    if (frame.type === "nack" && frame.temporary) {
      // The answers to later messages may say the same; all that is left is sent again, oldest first.
      this.resend ??= setTimeout(() => this.sendAll(), (frame.retry_after ?? 1) * 1_000);
      return;
    }
    const sending = this.waiting.get(frame.client_id);
    this.waiting.delete(frame.client_id);
    if (frame.type === "ack") sending?.resolve(frame);
    else sending?.reject(new MessageRefused(frame.code));
  }

  private sendAll(): void {
    clearTimeout(this.resend);
    this.resend = undefined;
    if (!this.isLive) return;
    if (this.connection?.send) for (const sending of this.waiting.values()) this.send(sending.frame);
    else void this.post();
  }

  /** Sends the outbox by requests, oldest first, over transports that carry no frames of the client. */
  private async post(): Promise<void> {
    if (this.isPosting) return;
    this.isPosting = true;
    try {
      while (this.isLive) {
        const next = this.waiting.values().next().value as Waiting | undefined;
        if (next === undefined) return;
        const { client_id, conversation, kind, text } = next.frame;
        const signal = this.closing.signal;
        const sent = await this.client.postConversationsIdMessages(
          conversation,
          { client_id, text, ...(kind === undefined ? {} : { kind }) },
          { signal },
        );
        this.answered({ type: "ack", client_id, conversation, seq: sent.seq, sent_at: sent.sent_at });
      }
    } catch (error) {
      const first = this.waiting.keys().next().value as string | undefined;
      if (error instanceof SparkProblem && !error.temporary && error.status !== 401 && first !== undefined) {
        this.answered({ type: "nack", client_id: first, code: error.code, temporary: false });
        setTimeout(() => this.sendAll(), 0);
      } else if (!this.closing.signal.aborted) {
        const wait = error instanceof SparkProblem ? error.retryAfter : undefined;
        this.resend ??= setTimeout(() => this.sendAll(), wait ?? 1_000);
      }
    } finally {
      this.isPosting = false;
    }
  }
}

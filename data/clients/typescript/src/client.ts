import type { Call, CallOptions } from "./caller.js";
import { segment } from "./caller.js";
import type { Person, PersonExtent, RefreshedTokens, TokenGrant } from "./models.js";
import { SparkProblem, SparkUnreachable } from "./problem.js";
import { ProfileCache } from "./profiles.js";
import { Routes } from "./routes.js";
import { Stream, type StreamOptions } from "./stream.js";

/** The tokens of a session, to be kept over restarts of the app. */
export interface Tokens {
  access: string;
  /** Absent if the session cannot be renewed. */
  refresh?: string | undefined;
  userId?: string | undefined;
}

export interface SparkOptions {
  /** Of an earlier session. */
  tokens?: Tokens | undefined;
  /** The longest time for a request, in milliseconds; 30 seconds by default. */
  timeout?: number;
  /** How often a request is sent at most; 4 by default. */
  attempts?: number;
  /** A longer Retry-After is not waited for, and the call fails; 10 seconds by default, in milliseconds. */
  longestWait?: number;
  /** Gets the tokens whenever they change; undefined when the session has ended. */
  onTokens?: (tokens: Tokens | undefined) => void;
  /** Used instead of the global fetch. */
  fetch?: typeof fetch;
}

interface Answer {
  status: number;
  text: string;
  headers: Headers;
}

/** Routes whose answers hold the tokens of a session. They are called without a token. */
const grants = new Set(["/api/v1/auth/register", "/api/v1/auth/login", "/api/v1/auth/refresh"]);

/**
 * One login at one server.
 *
 * A call that finds its access token ended exchanges the refresh token, once for all calls that wait, and is repeated. A
 * request is repeated when the server asks for it, or when the connection broke and the route honours idempotency keys.
 */
export class Spark extends Routes {
  readonly url: string;
  /** When the access token ends, in milliseconds of Date.now(); undefined if that is unknown. */
  accessEnds: number | undefined;
  private readonly options: SparkOptions;
  private readonly fetch: typeof fetch;
  private session: Tokens | undefined;
  private renewal: Promise<boolean> | undefined;
  private readonly profiles = new ProfileCache(Date.now);

  /** @param url `http://host:port` or `https://host`. */
  constructor(url: string, options: SparkOptions = {}) {
    super();
    this.url = url.replace(/\/+$/, "");
    this.options = options;
    this.session = options.tokens;
    this.fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  }

  /** The tokens of the session; undefined if there is none. */
  get tokens(): Tokens | undefined {
    return this.session;
  }

  /** The id of the person who is signed in; undefined if that is unknown. */
  get userId(): string | undefined {
    return this.session?.userId;
  }

  /** The person's events, as they happen. */
  stream(options: StreamOptions = {}): Stream {
    return new Stream(this, options);
  }

  /** A person, kept for an hour. Later the server is asked whether the profile has changed. */
  async person(id: string, view: PersonExtent = "card", options: CallOptions = {}): Promise<Person> {
    const key = `${view} ${id}`;
    const kept = this.profiles.get(key);
    if (kept !== undefined && this.profiles.isFresh(kept)) return kept.person;
    const request = { method: "GET", path: `/api/v1/users/${segment(id)}`, query: { view } };
    const headers: Record<string, string> = kept?.etag ? { "If-None-Match": kept.etag } : {};
    const answer = await this.answer(request, options, headers);
    const person: Person = answer.status === 304 && kept !== undefined ? kept.person : JSON.parse(answer.text);
    this.profiles.set(key, person, answer.headers.get("ETag") ?? kept?.etag ?? null);
    return person;
  }

  /** Asks the server again for every profile. The stream does so when somebody is no longer to be seen. */
  forgetProfiles(): void {
    this.profiles.clear();
  }

  /**
   * Exchanges the refresh token unless another call did.
   * @param used the access token that has ended.
   * @returns false if there is no session any more.
   */
  async renew(used: string): Promise<boolean> {
    if (this.session === undefined || this.session.access !== used) return this.session !== undefined;
    this.renewal ??= this.exchangeToken().finally(() => (this.renewal = undefined));
    return this.renewal;
  }

  private async exchangeToken(): Promise<boolean> {
    const refresh = this.session?.refresh;
    if (refresh === undefined) return false;
    try {
      // The key lets a repetition get the same tokens when the answer was lost on its way.
      await this.postAuthRefresh({ refresh_token: refresh });
      return true;
    } catch (error) {
      if (!(error instanceof SparkProblem) || error.status !== 401) throw error;
      this.setTokens(undefined);
      return false;
    }
  }

  protected async call<Result>(request: Call, options: CallOptions): Promise<Result> {
    const answer = await this.answer(request, options, {});
    const value = answer.text === "" ? undefined : JSON.parse(answer.text);
    if (grants.has(request.path)) this.take(value);
    if (request.path === "/api/v1/auth/logout") this.setTokens(undefined);
    if (request.path === "/api/v1/blocks" || request.method === "DELETE") this.forgetProfiles();
    return value;
  }

  private take(grant: RefreshedTokens & Partial<TokenGrant>): void {
    this.accessEnds = Date.now() + grant.expires_in * 1_000;
    if (grant.user !== undefined && grant.user.id !== this.session?.userId) this.forgetProfiles();
    this.setTokens({
      access: grant.access_token,
      refresh: grant.refresh_token,
      userId: grant.user?.id ?? this.session?.userId,
    });
  }

  private setTokens(tokens: Tokens | undefined): void {
    if (tokens === undefined) this.forgetProfiles();
    this.session = tokens;
    this.options.onTokens?.(tokens);
  }

  /** The answer to a request that succeeded, or 304. */
  private async answer(request: Call, options: CallOptions, further: Record<string, string>): Promise<Answer> {
    const headers: Record<string, string> = { Accept: "application/json", ...further };
    const key = options.idempotencyKey ?? (request.takesKey ? randomId() : undefined);
    if (key !== undefined) headers["Idempotency-Key"] = key;
    if (request.body !== undefined) headers["Content-Type"] = "application/json";
    const isRepeatable = key !== undefined || request.method === "GET";
    for (let hasRenewed = false; ; hasRenewed = true) {
      const used = grants.has(request.path) ? undefined : this.session?.access;
      if (used !== undefined) headers["Authorization"] = `Bearer ${used}`;
      const answer = await this.send(request, headers, isRepeatable, options.signal);
      if (answer.status < 300 || answer.status === 304) return answer;
      const problem = SparkProblem.read(answer.status, answer.text, answer.headers.get("Retry-After"));
      const mayRenew = problem.code === "auth.unauthenticated" && used !== undefined && !hasRenewed;
      if (!mayRenew || !(await this.renew(used))) throw problem;
    }
  }

  private async send(
    request: Call,
    headers: Record<string, string>,
    isRepeatable: boolean,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    const attempts = this.options.attempts ?? 4;
    for (let failures = 1; ; failures++) {
      let wait = pause(failures);
      try {
        const answer = await this.exchange(request, headers, signal);
        const isLost = isRepeatable && (answer.status === 502 || answer.status === 504);
        if (answer.status !== 429 && answer.status !== 503 && !isLost) return answer;
        wait = SparkProblem.read(answer.status, answer.text, answer.headers.get("Retry-After")).retryAfter ?? wait;
        if (failures >= attempts || wait > (this.options.longestWait ?? 10_000)) return answer;
      } catch (error) {
        throwIfAborted(signal);
        if (!isRepeatable || failures >= attempts) {
          throw new SparkUnreachable(`${request.method} ${request.path}: ${String(error)}`, { cause: error });
        }
      }
      await sleep(wait, signal);
    }
  }

  private async exchange(request: Call, headers: Record<string, string>, signal: AbortSignal | undefined): Promise<Answer> {
    const response = await this.request(request.method, request.path + query(request.query), {
      headers,
      body: request.body === undefined ? undefined : JSON.stringify(request.body),
      signal,
    });
    return { status: response.status, text: await response.text(), headers: response.headers };
  }

  /** Sends one request, and gives it up after the longest time. The stream uses it without a limit. */
  async request(
    method: string,
    target: string,
    parts: { headers: Record<string, string>; body?: string | undefined; signal?: AbortSignal | undefined; isEndless?: boolean },
  ): Promise<Response> {
    const abort = new AbortController();
    const giveUp = () => abort.abort();
    const timer = parts.isEndless ? undefined : setTimeout(giveUp, this.options.timeout ?? 30_000);
    parts.signal?.addEventListener("abort", giveUp, { once: true });
    try {
      throwIfAborted(parts.signal);
      const init: RequestInit = { method, headers: parts.headers, signal: abort.signal };
      if (parts.body !== undefined) init.body = parts.body;
      const response = await orAborted(this.fetch(this.url + target, init), abort.signal);
      if (parts.isEndless) return response;
      // The body belongs to the time of the request.
      const text = await orAborted(response.text(), abort.signal);
      return { status: response.status, headers: response.headers, text: async () => text } as Response;
    } finally {
      clearTimeout(timer);
      if (!parts.isEndless) parts.signal?.removeEventListener("abort", giveUp);
    }
  }
}

function query(parameters: Record<string, unknown> | undefined): string {
  const given = Object.entries(parameters ?? {}).filter(([, value]) => value !== undefined);
  if (given.length === 0) return "";
  return "?" + given.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join("&");
}

/** Milliseconds before the next attempt: doubled each time, at random so that clients do not come back together. */
export function pause(failures: number, longest = 8_000): number {
  return (0.5 + Math.random() / 2) * Math.min(longest, 100 * 2 ** failures);
}

/** What a promise gives, unless the signal comes first. The fetch of Node 18 can lose a signal. */
export function orAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const finish = () => reject(reason(signal));
    signal.addEventListener("abort", finish, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", finish));
    if (signal.aborted) finish();
  });
}

// Not every platform's signal has a reason.
function reason(signal: AbortSignal): unknown {
  return signal.reason ?? Object.assign(new Error("the call was given up"), { name: "AbortError" });
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw reason(signal);
}

/** Waits; at once fails when the signal is given. */
export function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", finish);
      if (signal?.aborted) reject(reason(signal));
      else resolve();
    };
    const timer = setTimeout(finish, milliseconds);
    signal?.addEventListener("abort", finish, { once: true });
    if (signal?.aborted) finish();
  });
}

/** 24 hexadecimal digits. They need not be secret, only new. */
export function randomId(): string {
  const bytes = new Uint8Array(12);
  if (typeof crypto !== "undefined") crypto.getRandomValues(bytes);
  // React Native has no generator of its own.
  else bytes.forEach((_, index) => (bytes[index] = Math.floor(Math.random() * 256)));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

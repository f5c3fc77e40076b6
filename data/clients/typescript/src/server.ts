import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { Spark, type Tokens } from "./client.js";
import { SparkProblem } from "./problem.js";

/** The longest time that a server may take to start, in milliseconds. */
const longestStart = 60_000;
/** How much of the log is kept, in characters. */
const longestLog = 1_000_000;

export interface StartOptions {
  /** The name or the file of a scenario; nobody is there without one. */
  scenario?: string;
  /** The path of the binary; SPARK_BINARY, else `spark` on the PATH, by default. */
  binary?: string;
  /** More for `spark serve`, such as `--set`. */
  arguments?: string[];
}

/** Something that was sent to a device or to another server. */
export interface Sent {
  kind: string;
  to: string;
  at: string;
  [name: string]: unknown;
}

/** Something that happened. */
export interface Happened {
  event: string;
  at: string;
  [name: string]: unknown;
}

/** What the server answers about a person. */
interface Grant {
  user?: { id: string };
  id?: string;
  access_token: string | null;
  refresh_token?: string | null;
}

/**
 * A server that keeps nothing, with what a test needs: a clock, snapshots, an outbox, faults. For Node.
 *
 * Its methods are the routes below `/__test__`. All fail with `SparkProblem`.
 */
export class SparkServer {
  private process: ChildProcess | undefined;
  private text = "";
  /** The process of a clone, which is a child of the server that it was made from. */
  private clonePid: number | undefined;

  constructor(
    readonly url: string,
    readonly adminToken: string,
  ) {}

  /** Starts the binary; the server answers when this returns. */
  static async start(options: StartOptions = {}): Promise<SparkServer> {
    const binary = options.binary ?? process.env["SPARK_BINARY"] ?? "spark";
    const scenario = options.scenario === undefined ? [] : ["--scenario", options.scenario];
    const fixed = ["serve", "--ephemeral", "--listen", "127.0.0.1:0", "--exit-with-parent"];
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("SPARK_")));
    const child = spawn(binary, [...fixed, ...scenario, ...(options.arguments ?? [])], {
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let log = "";
    child.stderr.on("data", (data) => (log = (log + String(data)).slice(-longestLog)));
    const line = await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => child.kill("SIGKILL"), longestStart);
      let text = "";
      child.stdout.on("data", (data) => {
        text += String(data);
        if (!text.includes("\n")) return;
        clearTimeout(timer);
        resolve(text);
      });
      child.once("error", (error) => {
        clearTimeout(timer);
        reject(new Error(`${binary}: ${error.message}; set SPARK_BINARY to the path of the binary`));
      });
      child.once("exit", (code, signal) => {
        clearTimeout(timer);
        reject(new Error(`spark serve ended with ${code ?? signal}:\n${log}`));
      });
    });
    const ready: { url: string; admin_token: string } = JSON.parse(line);
    const server = new SparkServer(ready.url, ready.admin_token);
    server.process = child;
    server.text = log;
    child.stderr.on("data", (data) => (server.text = (server.text + String(data)).slice(-longestLog)));
    process.on("exit", server.kill);
    return server;
  }

  /** The server that `spark exec` started for this program; undefined if there is none. */
  static running(): SparkServer | undefined {
    const { SPARK_URL: url, SPARK_ADMIN_TOKEN: token } = process.env;
    return url && token ? new SparkServer(url, token) : undefined;
  }

  /** Ends the server or the clone, unless somebody else started it. */
  async stop(): Promise<void> {
    const child = this.process;
    this.process = undefined;
    if (this.clonePid !== undefined) {
      try {
        process.kill(this.clonePid, "SIGTERM");
      } catch {
        // It has ended already.
      }
      this.clonePid = undefined;
    }
    if (child === undefined) return;
    process.removeListener("exit", this.kill);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill("SIGTERM");
    await ended;
    clearTimeout(timer);
  }

  private readonly kill = () => void this.process?.kill("SIGTERM");

  /** The end of what the server has logged; empty for a server that somebody else started. */
  get log(): string {
    return this.text;
  }

  /** Runs a test, and shows what the server logged meanwhile when it fails. */
  async showingLog<Value>(test: () => Promise<Value>): Promise<Value> {
    const logged = this.text.length;
    try {
      return await test();
    } catch (error) {
      const text = this.text.slice(logged);
      if (text !== "") console.error(`Spark's log:\n${text}`);
      throw error;
    }
  }

  // People

  /** A client of this server. */
  client(tokens?: Tokens): Spark {
    return new Spark(this.url, { tokens });
  }

  /**
   * Makes an account, and returns a client that is signed in.
   * @param parts any part of a registration, `location`, `preferences`, `name_in_test` for `person`; the server chooses the rest.
   */
  async add(parts: Record<string, unknown> = {}): Promise<Spark> {
    return this.signedIn(await this.test("POST", "users", parts));
  }

  /** A client that is signed in as a person of the scenario: `ada`. */
  async person(name: string): Promise<Spark> {
    return this.signedIn(await this.test("GET", `users/${encodeURIComponent(name)}`));
  }

  private signedIn(answer: Grant): Spark {
    // An account that is closed or suspended has no tokens.
    if (answer.access_token === null) return this.client();
    return this.client({
      access: answer.access_token,
      refresh: answer.refresh_token ?? undefined,
      userId: answer.user?.id ?? answer.id,
    });
  }

  // State

  /** Keeps the state of the server. Returns the snapshot's name. */
  async snapshot(): Promise<string> {
    return (await this.test<{ snapshot: string }>("POST", "snapshot")).snapshot;
  }

  /** Puts a kept state back. */
  async restore(snapshot: string): Promise<void> {
    await this.test("POST", "restore", { snapshot });
  }

  /** Puts the scenario back. */
  async reset(): Promise<void> {
    await this.test("POST", "reset");
  }

  /** A second server with this state, which ends with this one. Its clients' tokens work there too. */
  async clone(): Promise<SparkServer> {
    const answer = await this.test<{ url: string; admin_token: string; pid: number }>("POST", "clone");
    const clone = new SparkServer(answer.url, answer.admin_token);
    clone.clonePid = answer.pid;
    return clone;
  }

  // Time and chance

  /** Moves the clock, and does what is due on the way. Returns the new time. */
  async advance(seconds: number): Promise<string> {
    return (await this.test<{ now: string }>("POST", "clock", { advance_seconds: seconds })).now;
  }

  /** Sets the clock to a time as in RFC 3339. Returns it. */
  async setClock(time: string): Promise<string> {
    return (await this.test<{ now: string }>("POST", "clock", { set: time })).now;
  }

  /** Stops the clock, or lets it go on. Returns the time. */
  async freeze(frozen = true): Promise<string> {
    return (await this.test<{ now: string }>("POST", "clock", { frozen })).now;
  }

  /** Makes random numbers, and with them ids, the same in each run. */
  async seed(number: number): Promise<void> {
    await this.test("POST", "chance", { seed: number });
  }

  // What happened

  /**
   * What was sent to devices and others: `push`, `webhook`. Waits until there are `count`.
   * @param query.wait the longest time to wait, in milliseconds; 2 seconds by default.
   */
  async outbox(query: { kind?: string; to?: string; count?: number; wait?: number } = {}): Promise<Sent[]> {
    const { wait = 2_000, count = 1, ...rest } = query;
    return (await this.test<{ items: Sent[] }>("GET", "outbox", undefined, { ...rest, count, wait_ms: wait })).items;
  }

  /**
   * A mark, and everything that happened since an earlier one, in order. Waits until there are `count`.
   * @param query.event only events of this name, such as `matching.match_created`.
   * @param query.user only what is about this person, by id or by the name in the scenario.
   * @param query.wait the longest time to wait, in milliseconds; none by default.
   */
  async events(
    query: { since?: number; event?: string; user?: string; count?: number; wait?: number } = {},
  ): Promise<{ mark: number; items: Happened[] }> {
    const { wait = 0, count = 1, ...rest } = query;
    return this.test("GET", "events", undefined, { ...rest, count, wait_ms: wait });
  }

  // Faults

  /** Lets something fail: `push.fail`, `push.throttle`, `writer.slow`, `disk.full`, `stream.drop`, `http.delay`. */
  async fault(name: string, options: { times?: number; match?: Record<string, unknown> } = {}): Promise<void> {
    await this.test("POST", "faults", { name, times: options.times ?? 1, match: options.match ?? {} });
  }

  /** Nothing fails any more. */
  async clearFaults(): Promise<void> {
    await this.test("DELETE", "faults");
  }

  /** A request below `/__test__`. */
  async test<Answer>(
    method: string,
    path: string,
    body?: unknown,
    query: Record<string, string | number> = {},
  ): Promise<Answer> {
    const given = Object.entries(query).filter(([, value]) => value !== undefined);
    const parameters = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
    const init: RequestInit = {
      method,
      headers: {
        Authorization: `Bearer ${this.adminToken}`,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
    };
    if (body !== undefined) init.body = JSON.stringify(body);
    const response = await fetch(`${this.url}/__test__/${path}${parameters && `?${parameters}`}`, init);
    const text = await response.text();
    if (!response.ok) throw SparkProblem.read(response.status, text, response.headers.get("Retry-After"));
    return (text === "" ? undefined : JSON.parse(text)) as Answer;
  }
}

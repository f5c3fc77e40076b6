import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { Spark, SparkProblem, type SparkOptions, SparkUnreachable, type Tokens } from "../src/index.js";

// What the client does when a server is busy, a token ends, or a connection breaks; against a server with written answers.

interface Request {
  method: string;
  path: string;
  headers: Record<string, string | undefined>;
}

/** Undefined breaks the connection. */
type Answer = { status: number; body?: unknown; headers?: Record<string, string> } | undefined;

async function withServer(
  answer: (request: Request) => Answer | Promise<Answer>,
  body: (client: (options?: SparkOptions) => Spark, seen: Request[]) => Promise<void>,
): Promise<void> {
  const seen: Request[] = [];
  const server = createServer((incoming, outgoing) => {
    incoming.on("data", () => undefined);
    incoming.on("end", async () => {
      const request = { method: incoming.method, path: incoming.url, headers: incoming.headers };
      seen.push(request);
      const given = await answer(request);
      if (given === undefined) return incoming.socket.destroy();
      outgoing.writeHead(given.status, { "Content-Type": "application/json", ...given.headers });
      outgoing.end(given.body === undefined ? "" : JSON.stringify(given.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  const tokens: Tokens = { access: "old", refresh: "refresh" };
  try {
    await body((options) => new Spark(url, { tokens, ...options }), seen);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

function problem(status: number, code: string, headers: Record<string, string> = {}): Answer {
  return { status, body: { code, status, detail: "", temporary: status === 429 || status === 503 }, headers };
}

test("calls that find the token ended share one refresh", async () => {
  const count = 8;
  let [arrived, release] = [0, () => {}];
  const all = new Promise<void>((resolve) => (release = resolve));
  const told: (Tokens | undefined)[] = [];
  await withServer(
    async ({ path, headers }) => {
      if (path === "/api/v1/auth/refresh") {
        assert.equal(headers["authorization"], undefined);
        return { status: 200, body: { access_token: "new", refresh_token: "next", expires_in: 900 } };
      }
      if (headers["authorization"] === "Bearer new") return { status: 200, body: { unread_total: 3 } };
      if (++arrived === count) release();
      await all;
      return problem(401, "auth.unauthenticated");
    },
    async (client, seen) => {
      const spark = client({ onTokens: (tokens) => told.push(tokens) });
      const answers = await Promise.all(Array.from({ length: count }, () => spark.getUnread()));
      assert.deepEqual(answers.map((answer) => answer.unread_total), Array(count).fill(3));
      assert.equal(seen.filter((request) => request.path === "/api/v1/auth/refresh").length, 1);
      assert.deepEqual(told, [{ access: "new", refresh: "next", userId: undefined }]);
    },
  );
});

test("a refused refresh ends the session", async () => {
  await withServer(
    ({ path }) => problem(401, path.endsWith("refresh") ? "accounts.refresh_refused" : "auth.unauthenticated"),
    async (client) => {
      const spark = client();
      await assert.rejects(spark.getUnread(), (error) => error instanceof SparkProblem && error.code === "auth.unauthenticated");
      assert.equal(spark.tokens, undefined);
    },
  );
});

test("a wrong password does not use up the refresh token", async () => {
  await withServer(
    () => problem(401, "accounts.credentials_refused"),
    async (client, seen) => {
      await assert.rejects(client().postAuthConfirm({ password: "wrong" }), (error) => error instanceof SparkProblem);
      assert.equal(seen.length, 1);
    },
  );
});

test("a busy server is asked again with the same key", async () => {
  const answers: Answer[] = [
    problem(503, "request.overloaded", { "Retry-After": "0" }),
    undefined,
    { status: 200, body: { match: null } },
  ];
  await withServer(
    () => answers.shift(),
    async (client, seen) => {
      assert.equal((await client().postSwipes({ target_id: "usr_0", action: "like" })).match, null);
      assert.equal(seen.length, 3);
      assert.equal(new Set(seen.map((request) => request.headers["idempotency-key"])).size, 1);
    },
  );
});

test("a long wait is the caller's", async () => {
  await withServer(
    () => problem(429, "matching.daily_limit", { "Retry-After": "3600" }),
    async (client, seen) => {
      await assert.rejects(
        client().postSwipes({ target_id: "usr_0", action: "like" }),
        (error) => error instanceof SparkProblem && error.retryAfter === 3_600_000,
      );
      assert.equal(seen.length, 1);
    },
  );
});

test("a request without a key is sent once, and a call can be given up", async () => {
  await withServer(
    () => undefined,
    async (client, seen) => {
      await assert.rejects(client().postWsTicket(), (error) => error instanceof SparkUnreachable);
      assert.equal(seen.length, 1);
    },
  );
  const stop = new AbortController();
  await withServer(
    async () => {
      stop.abort();
      return problem(503, "request.overloaded", { "Retry-After": "9" });
    },
    async (client) => {
      await assert.rejects(client().getUnread({ signal: stop.signal }), (error) => (error as Error).name === "AbortError");
    },
  );
});

test("lists are read page by page", async () => {
  await withServer(
    ({ path }) =>
      path.includes("cursor=a%2Fb")
        ? { status: 200, body: { items: [{ user_id: "usr_2" }], next_cursor: null } }
        : { status: 200, body: { items: [{ user_id: "usr_0" }, { user_id: "usr_1" }], next_cursor: "a/b" } },
    async (client, seen) => {
      const ids: string[] = [];
      for await (const block of client().eachBlocks({ limit: 2 })) ids.push(block.user_id);
      assert.deepEqual(ids, ["usr_0", "usr_1", "usr_2"]);
      assert.deepEqual(seen.map((request) => request.path), [
        "/api/v1/blocks?limit=2",
        "/api/v1/blocks?limit=2&cursor=a%2Fb",
      ]);
    },
  );
});

test("a profile is kept for an hour, then compared, and forgotten after a block", async () => {
  const clock = Date.now;
  let now = clock();
  try {
    Date.now = () => now;
    await withServer(
      ({ method, headers }) => {
        if (method === "POST") return { status: 204 };
        if (headers["if-none-match"] === '"1"') return { status: 304, headers: { ETag: '"1"' } };
        return { status: 200, body: { id: "usr_0", name: "Ada" }, headers: { ETag: '"1"' } };
      },
      async (client, seen) => {
        const spark = client();
        const read = async () => (await spark.person("usr_0")).name;
        assert.deepEqual([await read(), await read(), seen.length], ["Ada", "Ada", 1]);
        now += 59 * 60_000;
        assert.deepEqual([await read(), seen.length], ["Ada", 1]);
        now += 2 * 60_000;
        assert.deepEqual([await read(), await read(), seen.length], ["Ada", "Ada", 2]);
        assert.equal(seen[1]?.headers["if-none-match"], '"1"');
        await spark.postBlocks({ target_id: "usr_0" });
        await read();
        assert.equal(seen.length, 4);
        assert.equal(seen[3]?.headers["if-none-match"], undefined);
      },
    );
  } finally {
    Date.now = clock;
  }
});

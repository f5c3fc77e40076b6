// What the tests use of Node.

declare module "node:test" {
  interface Context {
    diagnostic(text: string): void;
    skip(reason?: string): void;
    test(name: string, body: (context: Context) => void | Promise<void>): Promise<void>;
  }
  type Options = { skip?: boolean | string; timeout?: number };
  export function test(name: string, body: (context: Context) => void | Promise<void>): Promise<void>;
  export function test(name: string, options: Options, body: (context: Context) => void | Promise<void>): Promise<void>;
  export function before(body: () => void | Promise<void>): void;
  export function beforeEach(body: () => void | Promise<void>): void;
  export function after(body: () => void | Promise<void>): void;
}

declare module "node:assert/strict" {
  interface Assert {
    equal(actual: unknown, expected: unknown, message?: string): void;
    deepEqual(actual: unknown, expected: unknown, message?: string): void;
    ok(value: unknown, message?: string): asserts value;
    rejects(promise: Promise<unknown>, check: (error: unknown) => boolean, message?: string): Promise<void>;
  }
  const assert: Assert;
  export default assert;
}

declare module "node:http" {
  interface Incoming {
    url: string;
    method: string;
    headers: Record<string, string | undefined>;
    on(event: "data" | "end", listener: (data: unknown) => void): void;
    socket: { destroy(): void };
  }
  interface Outgoing {
    writeHead(status: number, headers?: Record<string, string>): void;
    end(text?: string): void;
  }
  interface Server {
    listen(port: number, host: string, listening: () => void): void;
    address(): { port: number };
    close(): void;
    closeAllConnections(): void;
  }
  export function createServer(handle: (request: Incoming, response: Outgoing) => void): Server;
}

// What `server.ts` and the tests use of Node, so that the package needs no types of others.

declare module "node:process" {
  const process: {
    env: Record<string, string | undefined>;
    pid: number;
    on(event: "exit", listener: () => void): void;
    removeListener(event: "exit", listener: () => void): void;
    kill(pid: number, signal: string): void;
  };
  export default process;
}

declare module "node:child_process" {
  interface Output {
    on(event: "data", listener: (data: unknown) => void): void;
  }
  export interface ChildProcess {
    stdout: Output;
    stderr: Output;
    exitCode: number | null;
    signalCode: string | null;
    kill(signal?: string): boolean;
    once(event: "exit", listener: (code: number | null, signal: string | null) => void): void;
    once(event: "error", listener: (error: Error) => void): void;
    unref(): void;
  }
  export function spawn(
    command: string,
    args: string[],
    options: { env: Record<string, string | undefined>; stdio: ("ignore" | "pipe")[] },
  ): ChildProcess;
}

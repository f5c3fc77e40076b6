import type { Problem } from "./models.js";

/** An error that the server answered (RFC 9457). */
export class SparkProblem extends Error {
  override readonly name = "SparkProblem";
  /** Stable: `module.reason`; `unknown` if the answer has none. */
  readonly code: string;
  readonly detail: string;
  /** True if the same request may succeed later. */
  readonly temporary: boolean;
  /** Also in the server's log. */
  readonly requestId: string;
  /** The refused parts of the input. */
  readonly errors: NonNullable<Problem["errors"]>;

  constructor(
    readonly status: number,
    document: Partial<Problem>,
    /** Milliseconds to wait; undefined if the server did not say. */
    readonly retryAfter?: number,
  ) {
    const refused = (document.errors ?? []).map((error) => `; ${error.field}: ${error.detail}`).join("");
    super(`${status} ${document.code ?? "unknown"}: ${document.detail ?? ""}${refused} (request ${document.request_id ?? ""})`);
    this.code = document.code ?? "unknown";
    this.detail = document.detail ?? "";
    this.temporary = document.temporary ?? status >= 500;
    this.requestId = document.request_id ?? "";
    this.errors = document.errors ?? [];
  }

  /** Reads a problem document. A proxy's answer, which is none, has an unknown code. */
  static read(status: number, text: string, retryAfter: string | null): SparkProblem {
    let document: Partial<Problem> = {};
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value === "object" && value !== null) document = value;
    } catch {
      // The status alone tells what is known.
    }
    const seconds = retryAfter !== null && /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1_000 : undefined;
    return new SparkProblem(status, document, seconds);
  }
}

/** The server gave no answer: it cannot be reached, or the connection broke each time. */
export class SparkUnreachable extends Error {
  override readonly name = "SparkUnreachable";
}

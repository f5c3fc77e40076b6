/** What every call takes beside the route's own parameters. */
export interface CallOptions {
  /** Gives the call up. */
  signal?: AbortSignal | undefined;
  /** Makes a repetition have no second effect. By default each call has a key of its own. */
  idempotencyKey?: string | undefined;
}

/** A request of a route. */
export interface Call {
  method: string;
  path: string;
  /** Written as JSON. */
  body?: unknown;
  /** Parameters; those that are undefined are left out, arrays are joined by commas. */
  query?: Record<string, unknown>;
  /** Whether the route honours an idempotency key. */
  takesKey?: boolean;
}

/** A page of a list. */
export interface Page<Element> {
  items: Element[];
  next_cursor: string | null;
}

/** What the generated routes call. */
export abstract class Caller {
  /** Sends a request, and returns the JSON of its answer; undefined if the answer has no body. */
  protected abstract call<Answer>(request: Call, options: CallOptions): Promise<Answer>;

  /** Every element of every page. */
  protected async *pages<Element>(
    read: (after: { cursor?: string }) => Promise<Page<Element>>,
  ): AsyncGenerator<Element, void, undefined> {
    let page = await read({});
    yield* page.items;
    while (page.next_cursor !== null) {
      page = await read({ cursor: page.next_cursor });
      yield* page.items;
    }
  }
}

/** A value as one segment of a path. */
export function segment(value: string): string {
  return encodeURIComponent(value);
}

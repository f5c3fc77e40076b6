import type { Person } from "./models.js";

/** How long a profile is shown without asking the server, in milliseconds. */
const lifetime = 60 * 60 * 1_000;
/** How many profiles are kept at most. */
const capacity = 500;

/** A profile with what the server needs to say that it has not changed. */
export interface KeptProfile {
  person: Person;
  etag: string | null;
  readAt: number;
}

/** People's profiles, for an hour. The one that was not used for the longest time leaves first. */
export class ProfileCache {
  private readonly kept = new Map<string, KeptProfile>();

  constructor(private readonly now: () => number) {}

  get(key: string): KeptProfile | undefined {
    const entry = this.kept.get(key);
    if (entry !== undefined) {
      this.kept.delete(key);
      this.kept.set(key, entry);
    }
    return entry;
  }

  isFresh(entry: KeptProfile): boolean {
    return this.now() - entry.readAt < lifetime;
  }

  set(key: string, person: Person, etag: string | null): void {
    this.kept.delete(key);
    this.kept.set(key, { person, etag, readAt: this.now() });
    for (const oldest of this.kept.keys()) {
      if (this.kept.size <= capacity) return;
      this.kept.delete(oldest);
    }
  }

  clear(): void {
    this.kept.clear();
  }
}

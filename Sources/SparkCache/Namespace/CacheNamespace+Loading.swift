import SparkCore

extension CacheNamespace {
    /// The value from memory, from the disk, or from the origin, whose answer is kept.
    ///
    /// Who asks for the same key while it is being loaded shares the load; a load that began before a write that this caller may
    /// know of is not shared. When the caller that loads is cancelled, one of those who wait loads instead.
    /// - Parameters:
    ///   - tags: what the value depends on, known before it is loaded; at most 15 with those that `load` declares.
    ///   - load: asks the origin. Declares what else the value depends on before it reads it. Nil: there is no such thing.
    /// - Throws: what `load` throws, `CacheError.overloaded`, `CancellationError`.
    public func value(
        _ key: Key, tags: [CacheTag], load: @escaping @Sendable (Dependencies) async throws -> Value?
    ) async throws -> Value? {
        let (entry, hash) = locate(key.cacheKey)
        switch tiers.lookup(entry, hash, ordinal: ordinal) {
        case .hit(let payload): return value(payload)
        case .absent: return nil
        case .stale(let payload, let late):
            if late < policy.staleWhileRevalidate.milliseconds {
                if cache.gate.hasRoom, !tiers.flights.isFlying(entry, hash) {
                    // Best effort: if it fails, the next to ask tries again.
                    Task { try? await fly(entry, hash, tags, load) }
                }
                return value(payload)
            }
        case .onDisk(let location):
            if case .value(let value) = readWarm(entry, hash, location) { return value }
        case .nothing: break
        }
        do {
            return try await fly(entry, hash, tags, load)
        } catch  where !Task.isCancelled {
            // Looked up again: since it was asked for it may have been invalidated, which allows no grace.
            guard let late = tiers.current(entry, hash, within: policy.staleIfError.milliseconds) else { throw error }
            return late.payload.map(value)
        }
    }

    func fly(
        _ entry: EntryKey, _ hash: UInt64, _ tags: [CacheTag], _ load: @Sendable (Dependencies) async throws -> Value?
    ) async throws -> Value? {
        while true {
            let (flight, isLeader) = tiers.flights.board(entry, hash) { Dependencies(tiers.stamps, tags) }
            if isLeader { return try await lead(flight, entry, hash, load) }
            tiers.count(.originShared, ordinal, hash: hash)
            switch try await flight.follow() {
            case .loaded(let payload): return payload.map(value)
            case .failed(let error): throw error
            case .abandoned: continue
            }
        }
    }

    func lead(
        _ flight: Flight, _ entry: EntryKey, _ hash: UInt64, _ load: @Sendable (Dependencies) async throws -> Value?
    ) async throws -> Value? {
        do {
            let value = try await obtain(flight, entry, hash, load)
            land(flight, entry, hash, .loaded(value.map { Payload(value: $0) }))
            return value
        } catch {
            land(flight, entry, hash, failed(error, hash))
            throw error
        }
    }

    /// What a tier has by now, or else what the origin says.
    func obtain(
        _ flight: Flight, _ entry: EntryKey, _ hash: UInt64, _ load: @Sendable (Dependencies) async throws -> Value?
    ) async throws -> Value? {
        // Another flight may have landed between the look that missed and the take-off.
        if let found = tiers.current(entry, hash), flight.dependencies.adopt(found.stamps) { return found.payload.map(value) }
        // What the origin does not have yet; it says something older.
        if let value = unflushed(entry.key) { return value }
        if let found = try await readCold(entry, hash, for: flight.dependencies) { return found }
        let loaded = try await cache.takeTurn { try await load(flight.dependencies) }
        keep(loaded, entry, hash, of: flight)
        return loaded
    }

    func keep(_ loaded: Value?, _ entry: EntryKey, _ hash: UInt64, of flight: Flight) {
        tiers.count(loaded == nil ? .originAbsent : .originLoad, ordinal, hash: hash)
        save(loaded, entry, hash, flight.dependencies.stamps) { flight.maySave }
    }

    /// Off the board first: who comes from now on finds what was kept, or loads.
    func land(_ flight: Flight, _ entry: EntryKey, _ hash: UInt64, _ outcome: Flight.Outcome) {
        tiers.flights.land(entry, hash, flight)
        flight.finish(outcome)
    }

    func failed(_ error: any Error, _ hash: UInt64) -> Flight.Outcome {
        tiers.count(error is CacheError ? .originRefused : .originError, ordinal, hash: hash)
        return Task.isCancelled ? .abandoned : .failed(error)
    }
}

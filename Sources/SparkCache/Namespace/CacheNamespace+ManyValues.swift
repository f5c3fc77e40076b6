extension CacheNamespace {
    /// Several values at once, in the order of the keys. What neither tier has is asked of the origin in one load.
    /// - Parameters:
    ///   - tags: what the value of a key depends on.
    ///   - load: gives a value for each of the keys it is given, nil for those there are none of.
    public func values(
        _ keys: [Key], tags: (Key) -> [CacheTag], load: @Sendable ([Key]) async throws -> [Value?]
    ) async throws -> [Value?] {
        var found = [Value?](repeating: nil, count: keys.count)
        var missing: [Missing] = []
        for (place, key) in keys.enumerated() {
            let (entry, hash) = locate(key.cacheKey)
            switch tiers.lookup(entry, hash, ordinal: ordinal) {
            case .hit(let payload): found[place] = value(payload)
            case .absent: break
            case .onDisk(let location):
                if case .value(let value) = readWarm(entry, hash, location) { found[place] = value } else { fallthrough }
            case .stale, .nothing:
                if let value = unflushed(entry.key) {
                    found[place] = value
                } else {
                    missing.append(Missing(place: place, key: key, entry: entry, hash: hash))
                }
            }
        }
        while !missing.isEmpty {
            var (led, followed): ([(Missing, Flight)], [(Missing, Flight)]) = ([], [])
            for one in missing {
                let (flight, isLeader) = tiers.flights.board(one.entry, one.hash) { Dependencies(tiers.stamps, tags(one.key)) }
                if isLeader { led.append((one, flight)) } else { followed.append((one, flight)) }
            }
            // Those that were boarded here land before any other is waited for: two calls never wait for each other.
            if !led.isEmpty {
                for (value, (one, _)) in zip(try await lead(led, load), led) { found[one.place] = value }
            }
            missing = []
            for (one, flight) in followed {
                tiers.count(.originShared, ordinal, hash: one.hash)
                switch try await flight.follow() {
                case .loaded(let payload): found[one.place] = payload.map(value)
                case .failed(let error): throw error
                case .abandoned: missing.append(one)
                }
            }
        }
        return found
    }

    /// A key of several that no tier has.
    struct Missing {
        let place: Int
        let key: Key
        let entry: EntryKey
        let hash: UInt64
    }

    func lead(_ led: [(Missing, Flight)], _ load: @Sendable ([Key]) async throws -> [Value?]) async throws -> [Value?] {
        do {
            let keys = led.map(\.0.key)
            let loaded = try await cache.takeTurn { try await load(keys) }
            precondition(loaded.count == keys.count, "a load answers for each of its keys")
            for (value, (one, flight)) in zip(loaded, led) {
                keep(value, one.entry, one.hash, of: flight)
                land(flight, one.entry, one.hash, .loaded(value.map { Payload(value: $0) }))
            }
            return loaded
        } catch {
            for (one, flight) in led { land(flight, one.entry, one.hash, failed(error, one.hash)) }
            throw error
        }
    }
}

import SparkCore

extension CacheNamespace {
    /// Where the values of a namespace that is written behind go: to be called before the first is written.
    /// - Parameter write: gives the origin some values, of each key one. It may be given a value again that it has, after an error, and
    ///   must not mind; what it throws makes it be asked again later.
    public func writesInto(_ write: @escaping @Sendable ([(key: Key, value: Value)]) async throws -> Void) {
        precondition(behind != nil, "the namespace is not written behind")
        behind?.setOrigin(write)
    }

    /// Writes a value that the origin is given later, with others: everybody reads it from now on, whatever memory holds. A process that
    /// dies takes up to an interval's values with it, so it is for what may be lost, such as when somebody was last seen.
    ///
    /// Whoever removes the thing itself removes its key here too.
    /// - Throws: `CacheError.overloaded` where as many keys wait as may; then nothing was written.
    public func writeBehind(_ key: Key, _ value: Value, tags: [CacheTag]) throws(CacheError) {
        guard let behind else { preconditionFailure("the namespace is not written behind") }
        let now = tiers.clock.now().milliseconds
        let (isTaken, isFull) = behind.add(key, value, now: now) { put(key, value, tags: tags) }
        guard isTaken else { throw .overloaded }
        if isFull { Task { await behind.flush(now: now) } }
    }

    /// A value that the origin does not have yet.
    @usableFromInline
    func unflushed(_ key: CacheKey) -> Value? { behind?.value(key) }
}

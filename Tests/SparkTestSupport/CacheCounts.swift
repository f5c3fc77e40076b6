import SparkCache

extension TestServer {
    /// How often a namespace of the cache was asked with a result, e.g. `("user:profile", "origin", "loaded")`.
    public func cacheCount(_ namespace: String, _ layer: String, _ result: String) -> Int {
        cache.statistics.namespaces.first { $0.name == namespace }?.requests
            .first { $0.layer == layer && $0.result == result }?.count ?? -1
    }

    /// How often the origin gave a value to a namespace.
    public func cacheLoads(_ namespace: String) -> Int { cacheCount(namespace, "origin", "loaded") }
}

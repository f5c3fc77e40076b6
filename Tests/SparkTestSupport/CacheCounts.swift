import SparkCache

extension TestServer {
    /// The number of requests to a namespace of the cache with a result, e.g. `("user:profile", "origin", "loaded")`.
    public func cacheCount(_ namespace: String, _ layer: String, _ result: String) -> Int {
        cache.statistics.namespaces.first { $0.name == namespace }?.requests
            .first { $0.layer == layer && $0.result == result }?.count ?? -1
    }

    /// The number of values that the origin gave to a namespace.
    public func cacheLoads(_ namespace: String) -> Int { cacheCount(namespace, "origin", "loaded") }
}

extension WriteTransaction {
    /// A number that changes when a connection other than the writer's commits, such as another process's. It may also change
    /// without a commit, when the write-ahead log begins anew.
    /// - Throws: `SQLError`.
    public func foreignCommits() throws -> Int64 { try session.value("PRAGMA data_version", as: Int64.self) ?? -1 }
}

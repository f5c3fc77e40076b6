/// The faults that a test asked for. The database of an ordinary server has none.
package protocol WriteFaults: Sendable {
    /// What the write that is submitted now meets.
    func ofNextWrite() -> WriteFault
}

/// What one write meets.
package struct WriteFault: Sendable {
    /// How long the writer takes longer.
    package var delay: Duration?
    /// Whether the commit fails as on a full disk.
    package var findsFullDisk = false

    /// A fault; nothing by default.
    package init(delay: Duration? = nil, findsFullDisk: Bool = false) {
        (self.delay, self.findsFullDisk) = (delay, findsFullDisk)
    }
}

/// Where work comes from.
package enum WriteOrigin {
    /// Whether the server or its fixture does the work by itself, and no client asked for it. Known in fixtures only.
    @TaskLocal package static var isBackground = false
}

import Synchronization

/// Whether the server is ready for requests. Until then only probes are answered.
package final class StartGate: Sendable {
    private let isShut = Atomic(false)

    /// A gate that is open.
    package init() {}

    /// Whether the server is ready.
    package var isOpen: Bool { !isShut.load(ordering: .acquiring) }

    /// Closes the gate: the server listens, but is not ready.
    package func shut() { isShut.store(true, ordering: .releasing) }

    /// Opens the gate: the server is ready.
    package func open() { isShut.store(false, ordering: .releasing) }
}

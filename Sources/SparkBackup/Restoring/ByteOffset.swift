import Synchronization

/// A place in a file that moves on.
final class ByteOffset: Sendable {
    private let value = Atomic(0)

    /// - Returns: the place before the move.
    func advance(by count: Int) -> Int { value.add(count, ordering: .relaxed).oldValue }
}

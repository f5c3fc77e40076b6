/// Waits for a condition that other tasks or processes will make true.
///
/// The timeout measures nothing: with it, a broken test fails instead of hanging.
/// - Parameters:
///   - claim: what should become true, for the error.
///   - pause: the time between two looks; nil: other tasks run once in between.
///   - holds: looked at again and again, at least once.
/// - Throws: `NeverHeld` after the timeout, `CancellationError`, and what `holds` throws.
public func until(
    _ claim: String = "the condition", every pause: Duration? = nil, timeout: Duration = .seconds(600),
    isolation: isolated (any Actor)? = #isolation, _ holds: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + timeout
    while try await !holds() {
        guard ContinuousClock.now < end else { throw NeverHeld(claim: claim) }
        try Task.checkCancellation()
        if let pause { try await Task.sleep(for: pause) } else { await Task.yield() }
    }
}

/// A condition that did not become true in time.
public struct NeverHeld: Error, CustomStringConvertible {
    let claim: String

    /// Names the condition.
    public var description: String { "\(claim) did not become true" }
}

package import SparkCore
package import SparkStorage
import Synchronization

/// What can go wrong on request. The server asks the board at the place where the fault would occur.
package enum FaultName: String, WireWord {
    /// A push provider cannot be reached; the push is tried again.
    case pushFail = "push.fail"
    /// A push provider answers 429.
    case pushThrottle = "push.throttle"
    /// A write takes long, and all writes after it wait.
    case writerSlow = "writer.slow"
    /// A write finds the disk full.
    case diskFull = "disk.full"
    /// A person's socket is cut.
    case streamDrop = "stream.drop"
    /// A request waits before it is answered.
    case httpDelay = "http.delay"

    package static let summary = "What goes wrong."
}

/// Which occasions a fault applies to, and how. A part that is nil applies to all.
package struct FaultMatch: Hashable, Sendable {
    /// The person.
    package var user: UserID?
    /// The push provider, as devices name it.
    package var provider: String?
    /// The kind of the push.
    package var kind: String?
    /// The route: its path with or without its parameters' values.
    package var route: String?
    /// The HTTP method.
    package var method: String?
    /// How long a slow write or a delayed request waits.
    package var delay: Duration?

    /// Applies to everything.
    package init() {}
}

/// The faults that a test asked for, each for a number of occasions.
package final class FaultBoard: Sendable {
    /// A fault.
    package struct Fault: Sendable {
        /// What goes wrong.
        package let name: FaultName
        /// On how many occasions in all.
        package let times: Int
        /// Which occasions.
        package let match: FaultMatch
        /// On how many occasions so far.
        package private(set) var used = 0

        /// A fault that has not occurred yet.
        package init(_ name: FaultName, times: Int, match: FaultMatch) {
            (self.name, self.times, self.match) = (name, times, match)
        }

        /// Notes that the fault occurred.
        package mutating func occurred() { used += 1 }
    }

    /// The most faults at once.
    package static let capacity = 100

    private let whenUsed: @Sendable (Fault) -> Void
    private let faults = Mutex<[Fault]>([])

    /// - Parameter whenUsed: called each time that a fault occurs. Must be short.
    package init(whenUsed: @escaping @Sendable (Fault) -> Void = { _ in }) { self.whenUsed = whenUsed }

    /// The faults that will still occur, in the order in which they were added.
    package var all: [Fault] { faults.withLock { $0 } }

    /// Adds a fault.
    /// - Returns: false if there are too many.
    package func add(_ fault: Fault) -> Bool {
        faults.withLock { faults in
            guard faults.count < Self.capacity else { return false }
            faults.append(fault)
            return true
        }
    }

    /// Goes back to the faults of a snapshot.
    package func replace(with kept: [Fault]) { faults.withLock { $0 = kept } }

    /// Removes all faults.
    package func clear() { faults.withLock { $0 = [] } }

    /// Whether something goes wrong now. The first fault that matches is used once, and is over after its last use.
    package func use(_ name: FaultName, where matches: (FaultMatch) -> Bool = { _ in true }) -> FaultMatch? {
        let used = faults.withLock { faults -> Fault? in
            guard let index = faults.firstIndex(where: { $0.name == name && matches($0.match) }) else { return nil }
            faults[index].occurred()
            let fault = faults[index]
            if fault.used >= fault.times { faults.remove(at: index) }
            return fault
        }
        if let used { whenUsed(used) }
        return used?.match
    }

    /// How long a request to a route waits; nil if no fault applies.
    /// - Parameters:
    ///   - template: the route's path with its parameters in braces.
    ///   - path: the request's own path.
    package func delay(of method: String, _ template: String, at path: some StringProtocol) -> Duration? {
        guard !WriteOrigin.isBackground else { return nil }
        let match = use(.httpDelay) { match in
            (match.route.map { $0 == template || path == $0 } ?? true) && (match.method.map { $0 == method } ?? true)
        }
        return match?.delay
    }
}

extension FaultBoard: WriteFaults {
    /// What the next write meets. Writes of the server's own services do not use the faults up: nobody knows when they come.
    package func ofNextWrite() -> WriteFault {
        guard !WriteOrigin.isBackground else { return WriteFault() }
        return WriteFault(delay: use(.writerSlow)?.delay, findsFullDisk: use(.diskFull) != nil)
    }
}

public import SparkCore

/// A part of a module's memory that a snapshot of a server for tests includes.
///
/// The database goes back as a whole. What memory holds beside it has to follow: counts that are not written yet, limits, an index. What
/// can be read anew at any time needs no state, and the cache has its own.
package struct FixtureState: Sendable {
    package let module: String
    /// Copies the state.
    package let capture: @Sendable () -> any Sendable
    /// Puts a copy in the state's place.
    package let restore: @Sendable (any Sendable) -> Void

    package init<Value: Sendable>(
        module: String, capture: @escaping @Sendable () -> Value, restore: @escaping @Sendable (Value) -> Void
    ) {
        self.module = module
        self.capture = capture
        self.restore = { if let value = $0 as? Value { restore(value) } }
    }
}

/// A part of a module's state that a clone of the server takes over beside the database.
package struct CarriedState: Sendable {
    /// Unique in the server.
    package let name: String
    package let export: @Sendable () -> JSONValue
    package let take: @Sendable (JSONValue) throws -> Void

    package init(
        name: String, export: @escaping @Sendable () -> JSONValue, take: @escaping @Sendable (JSONValue) throws -> Void
    ) {
        (self.name, self.export, self.take) = (name, export, take)
    }
}

/// The snapshots of a server for tests. All calls run one after the other, while no other request is under way.
public protocol ServerStateKeeping: Sendable {
    /// Keeps the present state of the database and of the memory.
    /// - Returns: The snapshot's identifier.
    /// - Throws: `FixtureStateError.busy`, `StorageError`, or an error of the file system.
    func snapshot() async throws -> String

    /// Goes back to a snapshot. Open streams are ended, and their epoch is a new one.
    /// - Throws: `FixtureStateError.unknownSnapshot`, and as `snapshot`.
    func restore(_ snapshot: String) async throws

    /// Goes back to the state at the start: the scenario as it was loaded.
    func reset() async throws

    /// Starts a second server of the same program with the present state. It ends with this one.
    /// - Throws: `FixtureStateError.cannotClone`, and as `snapshot`.
    func clone() async throws -> ServerClone
}

/// A second server.
public struct ServerClone: Hashable, Sendable {
    /// The URL of its only port.
    public let url: String
    /// Its process.
    public let pid: Int
    /// The token for its `/__test__/` and its operators' routes.
    public let adminToken: String

    /// A clone that is ready.
    public init(url: String, pid: Int, adminToken: String) {
        self.url = url
        self.pid = pid
        self.adminToken = adminToken
    }
}

/// Why a snapshot, a restore or a clone was refused.
public enum FixtureStateError: ClientError {
    /// No snapshot has this identifier, or it is no longer kept.
    case unknownSnapshot
    /// Requests under way did not end in time.
    case busy
    /// The server runs inside another program.
    case cannotClone
    /// The second server did not start.
    case cloneFailed

    /// `fixture.` and the name of the case.
    public var code: String {
        switch self {
        case .unknownSnapshot: "fixture.unknown_snapshot"
        case .busy: "fixture.busy"
        case .cannotClone: "fixture.cannot_clone"
        case .cloneFailed: "fixture.clone_failed"
        }
    }

    /// 404, 503, 409 or 500.
    public var status: Int {
        switch self {
        case .unknownSnapshot: 404
        case .busy: 503
        case .cannotClone: 409
        case .cloneFailed: 500
        }
    }

    /// A constant text.
    public var detail: String {
        switch self {
        case .unknownSnapshot: "There is no such snapshot; the 32 that were made or restored last are kept."
        case .busy: "Requests under way did not end in time; nothing was changed."
        case .cannotClone: "This server runs inside another program, so it has no program to start again."
        case .cloneFailed: "The second server did not start; the log says why."
        }
    }

    /// True for `busy` only.
    public var isTemporary: Bool { self == .busy }
    /// A second for `busy`.
    public var retryAfter: Duration? { self == .busy ? .seconds(1) : nil }
}

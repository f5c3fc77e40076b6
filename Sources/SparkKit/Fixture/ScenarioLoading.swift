public import SparkCore

/// A state that a server for tests begins with.
public protocol ScenarioLoading: Sendable {
    /// The people of a crowd, which every module loads in bulk before the server runs; nil for none.
    /// - Parameter now: The present of the town.
    func town(at now: Timestamp) -> (any DemoTown)?

    /// Makes the rest through the running server's own routes and ports, before anybody else is let in.
    func load(into server: any ScenarioServer) async throws
}

/// The server that a scenario is loaded into.
public protocol ScenarioServer: Sendable {
    /// The current time.
    var now: Timestamp { get }
    /// Where the scenario's people are noted.
    var people: FixturePeople { get }
    /// A request to the API, as a client would make it.
    /// - Parameters:
    ///   - path: The whole path.
    ///   - token: An access token; nil for none.
    /// - Returns: The status and the body; null for a body that is not JSON.
    func call(_ method: String, _ path: String, token: String?, body: JSONValue?) async throws -> (status: Int, body: JSONValue)
    /// A port that some module provides; nil if none does.
    func port<Port>(_ type: Port.Type) -> Port?
}

/// Loads many swipes of one person at once.
public protocol SwipeLoading: Sendable {
    /// Records swipes as if the person had made them during the last thirty days, evenly spread. Makes no match and tells nobody.
    /// - Parameters:
    ///   - targets: People without a swipe of the person.
    ///   - isLike: Called with the position of a target; false is a pass.
    func load(swipesOf user: UserID, on targets: [UserID], isLike: @escaping @Sendable (Int) -> Bool) async throws
}

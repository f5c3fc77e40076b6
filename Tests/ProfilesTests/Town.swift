import SparkCore
import SparkKit
import SparkProfiles
import SparkStorage
import SparkTestSupport
import Synchronization
import Testing

/// A server with Profiles, a module that registers people, and a module that listens.
struct Town: RunningServer {
    let server: TestServer
    let accounts: any TestAccounts
    let listener: any TestListener

    static func start(_ settings: [String] = []) async throws -> Town {
        let server = try await TestServer.start(
            [ListenerModule.self, ProfilesModule.self, AccountsStandIn.self], settings: settings)
        return Town(
            server: server, accounts: try server.port((any TestAccounts).self),
            listener: try server.port((any TestListener).self))
    }

    func stop() async { await server.stop() }

    /// Starts a server, runs a test against it and stops it, also after a failure.
    static func with(_ settings: [String] = [], _ body: (Town) async throws -> Void) async throws {
        try await withServer(start(settings), body)
    }

    /// Registers a person, 30 years old by default.
    func settle(
        _ name: String = "Ada", born: String = "1996-02-01", gender: Gender = .woman, seeks: [Gender] = Gender.allCases
    ) async throws -> UserID {
        try await accounts.register(name, born: try #require(CivilDate(born)), gender: gender, seeks: GenderSet(seeks))
    }

    func call(
        _ method: String, _ path: String, as user: UserID, _ json: String? = nil, _ headers: [String: String] = [:]
    ) async throws -> TestAnswer {
        try await server.call(method, "/api/v1\(path)", token: user.wire, json: json, headers: headers)
    }

    func move(_ user: UserID, _ latitude: Double, _ longitude: Double) async throws -> TestAnswer {
        try await call("PUT", "/me/location", as: user, #"{"latitude":\#(latitude),"longitude":\#(longitude)}"#)
    }

    func patch(_ user: UserID, _ json: String) async throws -> TestAnswer { try await call("PATCH", "/me", as: user, json) }

    func me(_ user: UserID) async throws -> JSONValue { try await call("GET", "/me", as: user).json }

    func profile(_ user: UserID) async throws -> Profile {
        try #require(try await server.port((any ProfileReading).self).profile(of: user))
    }
}

extension TestAnswer {
    /// The code of a problem document.
    var code: String? { json["code"]?.string }
    /// `field reason` of each refused part.
    var refused: [String] {
        (json["errors"]?.array ?? []).map { "\($0["field"]?.string ?? "?") \($0["reason"]?.string ?? "?")" }
    }
}

/// What the tests need from the replacement of Accounts.
protocol TestAccounts: Sendable {
    func register(_ name: String, born: CivilDate, gender: Gender, seeks: GenderSet) async throws -> UserID
    func register(_ registration: Registration) async throws
    func setClosed(_ isClosed: Bool, _ user: UserID) async throws
    func selfPortrait(of user: UserID) async throws -> [UInt8]
}

/// Replaces the module that Profiles depends on: registers and closes without passwords; an identifier is its own token.
struct AccountsStandIn: SparkModule, TestAccounts, Authenticating {
    typealias Configuration = NoConfiguration
    static let manifest = ModuleManifest(id: "accounts", summary: "accounts without passwords")
    private let context: ModuleContext

    init(configuration: NoConfiguration, context: ModuleContext) { self.context = context }

    func register(in registrar: inout ModuleRegistrar) {
        registrar.provide((any Authenticating).self, self)
        registrar.provide((any TestAccounts).self, self)
    }

    func authenticate(token: String) async throws -> Principal {
        guard let user = UserID(wire: token) else { throw EdgeError.unauthenticated }
        return Principal(user: user, session: SessionID(rawValue: 1), expiresAt: context.clock.now() + .minutes(15))
    }

    func register(_ name: String, born: CivilDate, gender: Gender, seeks: GenderSet) async throws -> UserID {
        let registration = Registration(
            user: context.identifiers.next(), email: "\(name)@example.org", name: name, birthDate: born, gender: gender,
            interestedIn: seeks, registeredAt: context.clock.now())
        try await register(registration)
        return registration.user
    }

    func register(_ registration: Registration) async throws {
        let participants = context.contributions((any RegistrationParticipant).self).all
        try await context.storage.write { work in
            for participant in participants { try participant.register(registration, in: work) }
        }
    }

    func setClosed(_ isClosed: Bool, _ user: UserID) async throws {
        let participants = context.contributions((any ClosureParticipant).self).all
        try await context.storage.write { work in
            for participant in participants { try participant.setClosed(isClosed, user: user, in: work) }
        }
    }

    func selfPortrait(of user: UserID) async throws -> [UInt8] {
        for participant in context.contributions((any RegistrationParticipant).self).all {
            return try await participant.selfPortrait(of: user)
        }
        return []
    }
}

/// What the tests need from the module behind Profiles.
protocol TestListener: Sendable {
    /// `name user` of each event since the last question.
    func heard() -> [String]
    /// From now on only the person sees their profile.
    func hide(_ user: UserID)
}

/// A module that depends on Profiles: gets its events and refuses views.
struct ListenerModule: SparkModule, TestListener, ProfileVisibilityPolicy {
    typealias Configuration = NoConfiguration
    static let manifest = ModuleManifest(id: "listener", summary: "hears and hides", dependencies: ["profiles"])

    private final class State: Sendable {
        let heard = Mutex<[String]>([])
        let hidden = Mutex<Set<UserID>>([])
    }

    private let state = State()

    init(configuration: NoConfiguration, context: ModuleContext) {}

    func register(in registrar: inout ModuleRegistrar) {
        registrar.provide((any TestListener).self, self)
        registrar.contribute((any ProfileVisibilityPolicy).self, self)
        registrar.subscribe(to: ProfileChanged.self) { [state] event in
            state.heard.withLock { $0.append("changed \(event.user)") }
        }
        registrar.subscribe(to: LocationChanged.self) { [state] event in
            state.heard.withLock { $0.append("moved \(event.user)") }
        }
        registrar.subscribe(to: ActivityRecorded.self) { [state] event in
            state.heard.withLock { $0 += event.people.map { "active \($0.user)" } }
        }
    }

    func heard() -> [String] {
        state.heard.withLock { heard in
            defer { heard = [] }
            return heard.sorted()
        }
    }

    func hide(_ user: UserID) { state.hidden.withLock { _ = $0.insert(user) } }

    func maySee(_ profile: Profile, viewer: UserID) async throws -> Bool {
        !state.hidden.withLock { $0.contains(profile.id) }
    }
}

extension TestAnswer {
    /// The version of a profile that the entity tag begins with.
    var version: String? { headers["etag"].map { String($0.dropFirst().prefix { $0 != "." }) } }
}

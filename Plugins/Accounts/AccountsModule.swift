import SparkCache
import SparkCore
public import SparkKit

/// Accounts: registration, passwords, sessions, tokens, closing and erasing an account.
public struct AccountsModule: SparkModule {
    /// The section `accounts`.
    public typealias Configuration = AccountsConfiguration

    /// What the module declares before it starts: identifier, migrations, tables, metrics and invariants.
    public static let manifest = ModuleManifest(
        id: "accounts",
        summary: "Accounts, passwords, sessions and tokens; export and erasure of a person",
        migrations: AccountsMigrations.all,
        tables: AccountsTables.all,
        metrics: AccountsMetrics.declarations,
        invariants: AccountsInvariants.all)

    private let service: AccountsService
    private let authenticator: Authenticator
    private let liveSessions: LiveSessions
    private let hasher: PasswordHasher
    private let operations: AccountsOperations

    /// Builds the service from the configuration and the server's context.
    public init(configuration: AccountsConfiguration, context: ModuleContext) throws {
        let networks = KnownNetworks(key: context.keys.key(for: "known-networks"))
        let store = SQLiteAccountsStore(
            storage: context.storage, personalData: context.personalData, stream: context.stream, networks: networks)
        let metrics = AccountsMetrics()
        let secrets = SecretSource(random: context.isEphemeral ? context.random : SystemRandomSource())
        let hasher = PasswordHasher(
            parameters: context.isEphemeral ? .ephemeral : .standard, secrets: secrets, metrics: metrics,
            admission: context.admission)
        self.hasher = hasher
        let accessTokens = AccessTokens(
            key: context.keys.key(for: "access-token"), lifetime: configuration.accessTokenLifetime)
        self.authenticator = Authenticator(
            store: store, tokens: accessTokens,
            principals: try Principals(
                tokenLifetime: configuration.accessTokenLifetime, random: secrets.random, context: context),
            clock: context.clock)
        self.liveSessions = LiveSessions(
            store: store, clock: context.clock, lifetime: configuration.refreshTokenLifetime)
        self.service = AccountsService(
            configuration: configuration, store: store, hasher: hasher, accessTokens: accessTokens,
            refreshTokens: RefreshTokenChain(key: context.keys.key(for: "refresh"), secrets: secrets),
            hints: SessionHints(cache: context.cache, store: store), cache: context.cache,
            guesses: GuessGate(
                configuration.guessLimits,
                registrationsPerDay: configuration.registrationsPerDay * (context.isEphemeral ? 10_000 : 1), clock: context.clock,
                queueWait: { hasher.expectedWait(of: $0, in: $1) }),
            networks: networks, admission: context.admission, metrics: metrics, clock: context.clock,
            identifiers: context.identifiers,
            registrations: context.contributions((any RegistrationParticipant).self),
            closures: context.contributions((any ClosureParticipant).self),
            userTags: context.contributions(UserTagKind.self))
        self.operations = AccountsOperations(
            service: service, describers: context.contributions((any PersonDescribing).self))
    }

    /// Registers the module's routes, ports, jobs and hooks.
    public func register(in registrar: inout ModuleRegistrar) {
        for route in AccountsRoutes(service: service).all { registrar.route(route) }
        registrar.provide((any Authenticating).self, authenticator)
        registrar.provide((any SessionLiveness).self, liveSessions)
        registrar.provide((any GrantLiveness).self, LiveGrants(store: service.store, clock: service.clock))
        registrar.provide((any TokenIssuing).self, service)
        registrar.provide((any AccountSuspending).self, service)
        registrar.provide((any AccountErasing).self, service)
        for action in operations.all { registrar.operatorAction(action) }
        registrar.page(ResetPage.route)
        registrar.cacheTags([.session])
        registrar.invalidate(on: SessionRevoked.self) { [.session($0.session)] }
        let service = service
        registrar.outbox(ErasureJob.topic) { try await service.erase(ErasureJob(payload: $0)) }
        registrar.contribute((any ConnectionObserving).self, service.hints)
        registrar.demo(AccountsDemo.load)
        service.guesses.register(in: &registrar)
        registrar.service(PasswordHasherShutdown(hasher: hasher))
    }
}

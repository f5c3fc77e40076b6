import Crypto
import SparkCore
import SparkHTTP
import SparkKit
import SparkStream
import SparkTelemetry

/// Step 1 of the boot, the plan: which modules run, what clients may use, and who may operate the server. Nothing is opened yet.
struct BootPlan: Sendable {
    /// As given, but for the clock of an ephemeral server, which can be moved.
    let options: Server.Options
    /// Moves the clock of an ephemeral server; nil in every other server.
    let fixtureTime: FixtureTime?
    /// The modules in dependency order.
    let modules: ModulePlan
    let admission: Admission
    /// The web origins that may use the API and the stream.
    let origins: AllowedOrigins
    let access: OperatorAccess
    /// The token for the operators' routes on the single port of an ephemeral server.
    let adminToken: String?
    /// Where a test looks in and steers; nil in every server that is not for tests.
    let fixture: FixtureHooks?

    /// - Throws: `PlanError` with every fault of the modules, `ConfigurationError`.
    init(_ given: Server.Options) throws {
        MetricsRegistry.install()
        let fixtureTime = given.isEphemeral ? FixtureTime(over: given.clock) : nil
        var options = given
        if let fixtureTime { options.clock = fixtureTime.clock }
        let fixture = options.isFixture ? FixtureHooks(random: options.random, clock: options.clock) : nil
        if let fixture { options.random = fixture.random }
        let disabled = options.configuration.section("modules", as: ModulesConfiguration.self).disabled
        let modules = ModulePlan(options.modules, disabled: disabled, isFixture: options.isFixture)
        guard modules.faults.isEmpty else {
            throw PlanError(faults: modules.faults + (try DryRun.faults(of: modules, options: options)))
        }
        try options.configuration.check(
            in: ConfigurationSurroundings(machine: options.machine, isEphemeral: options.isEphemeral))
        MetricsRegistry.shared.declare((KernelManifests.all + modules.manifests).flatMap(\.metrics))
        let admissionPlan = AdmissionPlan(options.configuration, machine: options.machine, isEphemeral: options.isEphemeral)
        let adminToken = options.isEphemeral ? Self.drawToken() : nil
        let edge: EdgeConfiguration = options.configuration.section("http")
        let stream: StreamConfiguration = options.configuration.section("stream")
        self.options = options
        self.fixtureTime = fixtureTime
        self.modules = modules
        self.admission = Admission(limits: admissionPlan.limits, clock: options.clock)
        self.origins = AllowedOrigins(edge.allowedOrigins + stream.allowedOrigins)
        self.access = OperatorAccess(
            tokens: [adminToken, options.configuration.text("metrics", "token")].compactMap { $0 },
            isLocal: Self.isOperatorListenerLocal(options.configuration))
        self.adminToken = adminToken
        self.fixture = fixture
    }

    /// Whether only this machine can reach the operators' listener. Elsewhere the configuration requires a token.
    private static func isOperatorListenerLocal(_ configuration: LoadedConfiguration) -> Bool {
        let section: OperatorConfiguration = configuration.section("operator")
        guard let host = section.address?.host else { return true }
        return host == "localhost" || OperatorAccess.isLoopback(address: host)
    }

    private static func drawToken() -> String { SymmetricKey(size: .bits256).withUnsafeBytes { Base64URL.encode(Array($0)) } }
}

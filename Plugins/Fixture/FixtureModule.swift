public import SparkKit

/// Lets the test that started an ephemeral server look into it and steer it, below `/__test__`. No other server has it.
public struct FixtureModule: SparkModule {
    /// There is nothing to configure.
    public typealias Configuration = NoConfiguration

    /// What the module is. It owns nothing.
    public static let manifest = ModuleManifest(
        fixture: "fixture", summary: "What a test looks at and changes, in ephemeral servers only")

    /// Nil in a server that is only planned.
    private let hooks: FixtureHooks?
    private let context: ModuleContext

    /// Takes the places at which the server can be steered.
    public init(configuration: NoConfiguration, context: ModuleContext) throws {
        self.hooks = context.fixture
        self.context = context
    }

    /// Registers the routes.
    public func register(in registrar: inout ModuleRegistrar) {
        guard let hooks else { return }
        let people = hooks.people
        let cutter = StreamCutter(hooks: hooks, stream: context.stream)
        let routes =
            PeopleRoutes(hooks: hooks, people: people).all
            + OutboxRoutes(outbox: hooks.outbox, people: people).all
            + EventRoutes(happenings: hooks.happenings, people: people).all
            + FaultRoutes(faults: hooks.faults, people: people, cutter: cutter).all
            + [ChanceRoute(hooks: hooks).route]
            + StateRoutes(hooks: hooks).all
            + (context.clockControl.map { [ClockRoute(control: $0).route] } ?? [])
        for route in routes { registrar.fixtureRoute(route) }
        registrar.contribute((any ConnectionObserving).self, cutter)
    }
}

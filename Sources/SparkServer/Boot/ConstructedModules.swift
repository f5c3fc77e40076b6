import SparkCache
import SparkKit
import SparkStream

/// Step 3 of the boot, the modules: each was made and has registered, and their declarations do not clash.
struct ConstructedModules: Sendable {
    let surroundings: ModuleSurroundings
    let registrations: ModuleRegistrations
    let exchange: ModuleExchange

    /// - Throws: `PlanError` with every fault.
    init(_ plan: BootPlan, _ data: OpenData) throws {
        let options = plan.options
        self.surroundings = ModuleSurroundings(
            options: options, clockControl: plan.fixtureTime, storage: data.storage, keys: data.keys,
            cache: Cache(options.configuration.section("cache"), options: options, keys: data.keys), admission: plan.admission,
            personalData: PersonalDataRegistry(manifests: [StreamManifest.manifest] + plan.modules.manifests),
            directory: options.directory, fixture: plan.fixture)
        self.exchange = ModuleExchange()
        self.registrations = ModuleRegistrations(plan: plan.modules, surroundings, exchange)
        guard registrations.faults.isEmpty else { throw PlanError(faults: registrations.faults) }
    }

    /// What all modules registered of one kind, in the modules' order.
    func all<Declaration>(_ declarations: (ModuleRegistrar) -> [Declaration]) -> [Declaration] {
        registrations.entries.flatMap { declarations($0.registrar) }
    }

    /// The implementation of a port that some module provides; nil if none does.
    func port<Port>(_ type: Port.Type) -> Port? { exchange.provider(of: type)?.value }
}

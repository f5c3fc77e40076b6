import HTTPTypes
import SparkCache
import SparkCore
import SparkKit

/// Everything that the modules registered, checked for clashes.
struct ModuleRegistrations: Sendable {
    struct Entry: Sendable {
        let manifest: ModuleManifest
        let registrar: ModuleRegistrar
    }

    let entries: [Entry]
    private(set) var faults: [ModuleFault]

    /// Makes each module and lets it register. A failure is noted, and the next module is tried.
    init(plan: ModulePlan, _ surroundings: ModuleSurroundings, _ exchange: ModuleExchange) {
        var entries: [Entry] = []
        var faults: [ModuleFault] = []
        for module in plan.modules {
            let manifest = module.manifest
            do {
                var registrar = ModuleRegistrar(module: manifest.id, exchange: exchange)
                try Self.register(
                    module, configuration: surroundings.options.configuration,
                    context: surroundings.context(of: manifest, exchange), in: &registrar)
                faults += registrar.faults
                entries.append(Entry(manifest: manifest, registrar: registrar))
            } catch let fault as ModuleFault {
                faults.append(fault)
            } catch {
                faults.append(ModuleFault(module: manifest.id, "cannot be constructed: \(type(of: error))"))
            }
        }
        self.entries = entries
        self.faults = faults
        checkRoutes()
        checkSubscriptions()
        checkNames()
        checkFrames()
        checkTagKinds()
    }

    private static func register<Module: SparkModule>(
        _ type: Module.Type, configuration: LoadedConfiguration, context: ModuleContext, in registrar: inout ModuleRegistrar
    ) throws {
        let module = try Module(configuration: configuration.section(type.manifest.id), context: context)
        module.register(in: &registrar)
    }

    /// The modules' API routes with their full paths.
    var routes: [Route] { entries.flatMap(\.registrar.routes).map(\.mounted) }

    /// The routes outside the API that need a token: those of the operators and of the fixture.
    var operatorRoutes: [Route] { entries.flatMap { $0.registrar.operatorRoutes + $0.registrar.fixtureRoutes } }

    /// Public pages outside the API.
    var pages: [Route] { entries.flatMap(\.registrar.pages) }

    private mutating func checkRoutes() {
        var owners: [String: String] = [:]
        for entry in entries {
            let (api, others) = (entry.registrar.routes.map(\.mounted), entry.registrar.operatorRoutes + entry.registrar.pages)
            for route in api + others + entry.registrar.fixtureRoutes {
                // Two templates that differ only in their parameters' names are the same path.
                let shape = route.path.split(separator: "/").map { $0.hasPrefix("{") ? "{}" : $0 }.joined(separator: "/")
                let key = "\(route.method) /\(shape)"
                if let owner = owners[key] {
                    faults.append(
                        ModuleFault(
                            module: entry.manifest.id,
                            "registers the route \(route.method) \(route.path), which \(owner) registers already"))
                }
                owners[key] = entry.manifest.id
            }
        }
    }

    private mutating func checkFrames() {
        var owners: [String: String] = [:]
        for entry in entries {
            for frame in entry.registrar.clientFrames.map({ "client frame \($0.type)" })
                + entry.registrar.serverFrames.map({ "server frame \($0.type)" })
            {
                if let owner = owners.updateValue(entry.manifest.id, forKey: frame) {
                    faults.append(
                        ModuleFault(module: entry.manifest.id, "registers the \(frame), which \(owner) registers already"))
                }
            }
        }
    }

    private mutating func checkTagKinds() {
        var declared: [(kind: CacheTagKind, owner: String)] = []
        for entry in entries {
            for kind in entry.registrar.tagKinds {
                if let other = declared.first(where: { $0.kind == kind }) {
                    faults.append(
                        ModuleFault(
                            module: entry.manifest.id,
                            "declares the cache tag kind \(kind.name), which collides with \(other.kind.name) of \(other.owner)"))
                }
                declared.append((kind, entry.manifest.id))
            }
        }
    }

    private mutating func checkSubscriptions() {
        for entry in entries {
            for event in entry.registrar.eventHooks.map(\.event) {
                let publisher = String(event.prefix { $0 != "." })
                if publisher != entry.manifest.id, !entry.manifest.dependencies.contains(publisher) {
                    faults.append(
                        ModuleFault(
                            module: entry.manifest.id,
                            "subscribes to \(event) without declaring the dependency on \(publisher)"))
                }
            }
        }
    }

    private mutating func checkNames() {
        var topics: Set<String> = []
        var checks: Set<String> = []
        var actions: Set<String> = []
        for entry in entries {
            for handler in entry.registrar.outboxHandlers where !topics.insert(handler.topic).inserted {
                faults.append(ModuleFault(module: entry.manifest.id, "handles the outbox topic \(handler.topic) a second time"))
            }
            for action in entry.registrar.operatorActions where !actions.insert(action.name).inserted {
                faults.append(
                    ModuleFault(module: entry.manifest.id, "registers the operator action \(action.name) a second time"))
            }
            for check in entry.registrar.healthChecks where !checks.insert(check.name).inserted {
                faults.append(ModuleFault(module: entry.manifest.id, "registers the health check \(check.name) a second time"))
            }
        }
    }
}

extension Route {
    /// The same route below `/api/v1`.
    var mounted: Route { mounted(below: "/api/v1") }
}

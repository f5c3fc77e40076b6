import HTTPTypes
public import SparkCore
import SparkKit

/// One module as `spark modules` lists it.
public struct ModuleInventory: JSONWritable, Sendable {
    /// The module's identifier.
    public let id: String
    /// What the module does, in one line.
    public let summary: String
    /// What it declares and uses, by kind, in the order in which `spark modules` prints it.
    public let lists: [(name: String, items: [String])]

    init(manifest: ModuleManifest, registrar: ModuleRegistrar, namespaces: [String]) {
        self.id = manifest.id
        self.summary = manifest.summary
        let routes = registrar.routes.map(\.mounted) + registrar.operatorRoutes + registrar.fixtureRoutes
        self.lists = [
            ("dependencies", manifest.dependencies),
            ("routes", routes.map { "\($0.method.rawValue) \($0.path)" }),
            ("frames", registrar.clientFrames.map(\.type) + registrar.serverFrames.map(\.type)),
            ("subscriptions", registrar.eventHooks.filter(\.isSubscription).map(\.event)),
            ("ports", registrar.ports),
            ("outbox", registrar.outboxHandlers.map(\.topic)),
            ("actions", registrar.operatorActions.map(\.name)),
            ("cache", namespaces),
            ("metrics", manifest.metrics.map(\.name)),
            ("tables", manifest.tables.map(\.name)),
        ]
    }

    /// Writes the module as a JSON object.
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("id", id)
            writer.field("summary", summary)
            for (name, items) in lists { writer.field(name, items) }
        }
    }
}

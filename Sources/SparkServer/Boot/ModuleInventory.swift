import HTTPTypes
public import SparkCore
import SparkKit

/// One module as `spark modules` lists it.
public struct ModuleInventory: JSONWritable, Sendable {
    public let id: String
    public let summary: String
    public let dependencies: [String]
    /// `METHOD /api/v1/path`.
    public let routes: [String]
    /// Types of the stream's frames that it answers or sends.
    public let frames: [String]
    public let events: [String]
    public let ports: [String]
    public let topics: [String]
    /// What operators can do by name.
    public let actions: [String]
    /// Namespaces of the cache.
    public let namespaces: [String]
    public let metrics: [String]
    public let tables: [String]

    init(manifest: ModuleManifest, registrar: ModuleRegistrar, namespaces: [String]) {
        self.id = manifest.id
        self.summary = manifest.summary
        self.dependencies = manifest.dependencies
        self.routes = (registrar.routes.map(\.mounted) + registrar.operatorRoutes).map { "\($0.method.rawValue) \($0.path)" }
        self.frames = registrar.clientFrames.map(\.type) + registrar.serverFrames.map(\.type)
        self.events = registrar.subscriptions.map(\.event)
        self.ports = registrar.ports
        self.topics = registrar.outboxHandlers.map(\.topic)
        self.actions = registrar.operatorActions.map(\.name)
        self.namespaces = namespaces
        self.metrics = manifest.metrics.map(\.name)
        self.tables = manifest.tables.map(\.name)
    }

    /// The lists by name, in the order of printing.
    public var lists: [(name: String, items: [String])] {
        [
            ("dependencies", dependencies), ("routes", routes), ("frames", frames), ("subscriptions", events), ("ports", ports),
            ("outbox", topics), ("operator actions", actions), ("cache", namespaces), ("metrics", metrics), ("tables", tables),
        ]
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("id", id)
            writer.field("summary", summary)
            for (name, items) in lists { writer.field(name, items) }
        }
    }
}

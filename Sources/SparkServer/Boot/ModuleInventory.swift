import HTTPTypes
public import SparkCore
import SparkKit

/// One module as `spark modules` lists it.
public struct ModuleInventory: JSONWritable, Sendable {
    /// The module's identifier.
    public let id: String
    /// What the module does, in one line.
    public let summary: String
    /// The identifiers of the modules it depends on.
    public let dependencies: [String]
    /// Each route as `METHOD /api/v1/path`.
    public let routes: [String]
    /// The types of the stream's frames that the module answers or sends.
    public let frames: [String]
    /// The events it subscribes to.
    public let events: [String]
    /// The ports it provides.
    public let ports: [String]
    /// The outbox topics it handles.
    public let topics: [String]
    /// The names of its operator actions.
    public let actions: [String]
    /// The cache namespaces it uses.
    public let namespaces: [String]
    /// The metrics it declares.
    public let metrics: [String]
    /// The tables it owns.
    public let tables: [String]

    init(manifest: ModuleManifest, registrar: ModuleRegistrar, namespaces: [String]) {
        self.id = manifest.id
        self.summary = manifest.summary
        self.dependencies = manifest.dependencies
        self.routes = (registrar.routes.map(\.mounted) + registrar.operatorRoutes).map { "\($0.method.rawValue) \($0.path)" }
        self.frames = registrar.clientFrames.map(\.type) + registrar.serverFrames.map(\.type)
        self.events = registrar.eventHooks.filter(\.isSubscription).map(\.event)
        self.ports = registrar.ports
        self.topics = registrar.outboxHandlers.map(\.topic)
        self.actions = registrar.operatorActions.map(\.name)
        self.namespaces = namespaces
        self.metrics = manifest.metrics.map(\.name)
        self.tables = manifest.tables.map(\.name)
    }

    /// The lists with their titles, in the order in which `spark modules` prints them.
    public var lists: [(name: String, items: [String])] {
        [
            ("dependencies", dependencies), ("routes", routes), ("frames", frames), ("subscriptions", events), ("ports", ports),
            ("outbox", topics), ("actions", actions), ("cache", namespaces), ("metrics", metrics), ("tables", tables),
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

import HTTPTypes
import SparkCache
import SparkCore
import SparkKit
import SparkStorage
import Synchronization

struct Grew: SparkEvent {
    static let name = "root.grew"
}

/// A module with a table, an event and routes of its own.
struct Root: SparkModule {
    static let manifest = ModuleManifest(
        id: "root", summary: "Grows",
        migrations: [Migration("root.001_trees", sql: "CREATE TABLE root_trees (id INTEGER PRIMARY KEY) STRICT")],
        tables: [.plain("root_trees")])
    private let storage: any Storage

    init(configuration: NoConfiguration, context: ModuleContext) { storage = context.storage }

    func register(in registrar: inout ModuleRegistrar) {
        registrar.route(
            Route(.get, "/root/{id}", "Reads", access: .open, rateLimit: .read) { _ in Reply(json: Array("{}".utf8)) })
        registrar.route(
            Route(
                .post, "/root/grow", "Grows", access: .open, rateLimit: .write,
                body: SchemaReference("Empty", .object([])), idempotency: .honoured
            ) { [storage] _ in
                let id = try await storage.write { transaction in
                    let id = try transaction.value("INSERT INTO root_trees DEFAULT VALUES RETURNING id", as: Int64.self)
                    transaction.publish(Grew())
                    return id ?? 0
                }
                return .json(["id": .integer(id)] as JSONValue, .created)
            })
    }
}

/// Subscribes to Root.
struct Branch: SparkModule {
    static let manifest = ModuleManifest(id: "branch", summary: "Hears", dependencies: ["root"])
    private let heard = Counter()

    init(configuration: NoConfiguration, context: ModuleContext) {}

    func register(in registrar: inout ModuleRegistrar) {
        registrar.subscribe(to: Grew.self) { [heard] _ in heard.count.withLock { $0 += 1 } }
        registrar.route(
            Route(.get, "/branch/heard", "Counts", access: .open, rateLimit: .read) { [heard] _ in
                .json(["count": .integer(heard.count.withLock { $0 })] as JSONValue)
            })
    }

    private final class Counter: Sendable {
        let count = Mutex<Int64>(0)
    }
}

/// Modules that only have a manifest.
protocol ManifestOnly: SparkModule where Configuration == NoConfiguration {
    init()
}

extension ManifestOnly {
    init(configuration: NoConfiguration, context: ModuleContext) { self.init() }
    func register(in registrar: inout ModuleRegistrar) {}
}

struct Leaf: ManifestOnly {
    static let manifest = ModuleManifest(id: "leaf", summary: "", dependencies: ["branch", "root"])
}

struct ForgetsToErase: ManifestOnly {
    static let manifest = ModuleManifest(
        id: "forgetful", summary: "", tables: [.userLinked("forgetful_notes", export: { _, _ in [] })])
}

struct FirstOfCycle: ManifestOnly {
    static let manifest = ModuleManifest(id: "first", summary: "", dependencies: ["second"])
}

struct SecondOfCycle: ManifestOnly {
    static let manifest = ModuleManifest(id: "second", summary: "", dependencies: ["first"])
}

struct BadlyNamed: ManifestOnly {
    static let manifest = ModuleManifest(id: "http", summary: "")
}

struct BadlyPrefixed: ManifestOnly {
    static let manifest = ModuleManifest(
        id: "prefixed", summary: "", migrations: [Migration("other.001_x", sql: "SELECT 1")], tables: [.plain("other_x")])
}

struct BadlyMeasured: ManifestOnly {
    static let manifest = ModuleManifest(
        id: "measured", summary: "",
        metrics: [
            MetricDeclaration("spark_measured_wait_ms", .histogram, help: ""),
            MetricDeclaration("spark_measured_total", .counter, help: ""),
            MetricDeclaration("spark_measured_total", .counter, help: ""),
        ])
}

struct ReadsStrangers: ManifestOnly {
    static let manifest = ModuleManifest(id: "reader", summary: "", reads: ["root_trees"])
}

struct ClashesWithRoot: SparkModule {
    static let manifest = ModuleManifest(id: "clashing", summary: "")
    init(configuration: NoConfiguration, context: ModuleContext) {}
    func register(in registrar: inout ModuleRegistrar) {
        registrar.route(
            Route(.get, "/root/{name}", "Clashes", access: .open, rateLimit: .read) { _ in .noContent })
    }
}

/// Owns the cache tags `sample.trees`, as the other one does.
struct FirstTagOwner: SparkModule {
    static let manifest = ModuleManifest(id: "oak", summary: "")
    init(configuration: NoConfiguration, context: ModuleContext) {}
    func register(in registrar: inout ModuleRegistrar) { registrar.cacheTags([CacheTagKind("sample.trees")]) }
}

struct SecondTagOwner: SparkModule {
    static let manifest = ModuleManifest(id: "elm", summary: "")
    init(configuration: NoConfiguration, context: ModuleContext) {}
    func register(in registrar: inout ModuleRegistrar) {
        registrar.cacheTags([CacheTagKind("sample.elms")], ofUsers: [CacheTagKind("sample.trees")])
    }
}

struct Eavesdropper: SparkModule {
    static let manifest = ModuleManifest(id: "eavesdropper", summary: "")
    init(configuration: NoConfiguration, context: ModuleContext) {}
    func register(in registrar: inout ModuleRegistrar) {
        registrar.subscribe(to: Grew.self) { _ in }
    }
}

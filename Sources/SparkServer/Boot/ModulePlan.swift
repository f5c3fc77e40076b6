public import SparkKit
import SparkStorage

/// The modules that will run, each after its dependencies, or everything that prevents it.
public struct ModulePlan: Sendable {
    /// In dependency order; the order of the list decides between independent modules.
    public let modules: [any SparkModule.Type]
    /// Empty when the modules may run.
    public let faults: [ModuleFault]

    /// The manifests of `modules`, in the same order.
    public var manifests: [ModuleManifest] { modules.map { $0.manifest } }

    /// Checks and sorts modules. Faults are collected, not thrown.
    /// - Parameters:
    ///   - disabled: identifiers of modules to leave out.
    ///   - isFixture: whether the server is one that a test steers, and has the modules for that.
    public init(_ list: [any SparkModule.Type], disabled: Set<String> = [], isFixture: Bool = false) {
        var faults: [ModuleFault] = []
        for name in disabled.sorted() where !list.contains(where: { $0.manifest.id == name }) {
            faults.append(ModuleFault(module: name, "is disabled but does not exist"))
        }
        let enabled = list.filter { !disabled.contains($0.manifest.id) && (isFixture || !$0.manifest.isForFixtures) }
        faults += ManifestCheck(enabled.map { $0.manifest }).faults
        let (sorted, cycle) = Self.sort(enabled)
        for id in cycle {
            faults.append(ModuleFault(module: id, "is part of a cycle of dependencies (\(cycle.joined(separator: ", ")))"))
        }
        self.modules = sorted
        self.faults = faults
    }

    /// Sorts depth-first in list order. Modules of a cycle come last, in list order.
    private static func sort(_ list: [any SparkModule.Type]) -> (sorted: [any SparkModule.Type], cycle: [String]) {
        var waiting = list
        var sorted: [any SparkModule.Type] = []
        let present = Set(list.map { $0.manifest.id })
        while !waiting.isEmpty {
            let placed = Set(sorted.map { $0.manifest.id })
            let next = waiting.firstIndex { module in
                module.manifest.dependencies.allSatisfy { placed.contains($0) || !present.contains($0) }
            }
            guard let next else { break }
            sorted.append(waiting.remove(at: next))
        }
        // A module that only depends on a cycle is not part of it.
        var cyclic = waiting.map { $0.manifest }
        while let index = cyclic.firstIndex(where: { candidate in
            !cyclic.contains { $0.dependencies.contains(candidate.id) }
        }) {
            cyclic.remove(at: index)
        }
        return (sorted + waiting, cyclic.map(\.id))
    }
}

/// Checks manifests without running their modules.
struct ManifestCheck {
    private(set) var faults: [ModuleFault] = []
    private static let reservedSections = Set(
        ["server", "modules", "spark", "operator", "limits", "backup"] + KernelManifests.all.map(\.id))
    private static let forbiddenUnits = ["_ms", "_millis", "_milliseconds", "_minutes", "_hours", "_kb", "_mb", "_kilobytes"]

    init(_ manifests: [ModuleManifest]) {
        var ids: Set<String> = []
        var metrics = Set(KernelManifests.all.flatMap(\.metrics).map(\.name))
        let byID = Dictionary(manifests.map { ($0.id, $0) }) { first, _ in first }
        for manifest in manifests {
            func fault(_ reason: String) { faults.append(ModuleFault(module: manifest.id, reason)) }
            if !ids.insert(manifest.id).inserted { fault("is in the list twice") }
            if Self.reservedSections.contains(manifest.id) || !Self.isIdentifier(manifest.id) {
                fault("has an identifier that is reserved or not of lower-case letters and digits")
            }
            for dependency in manifest.dependencies where byID[dependency] == nil {
                fault("depends on \(dependency), which is not there")
            }
            for migration in manifest.migrations where migration.module != manifest.id {
                fault("has the migration \(migration.id), which lacks its prefix")
            }
            let readable = Set(manifest.dependencies.compactMap { byID[$0] }.flatMap { $0.tables.map(\.name) })
            for table in manifest.reads where !readable.contains(table) {
                fault("reads the table \(table), which no declared dependency owns")
            }
            for table in manifest.tables { check(table, fault) }
            for metric in manifest.metrics {
                if (metric.kind == .counter) != metric.name.hasSuffix("_total") {
                    fault("has the metric \(metric.name); counters, and they alone, end in _total")
                }
                if !metrics.insert(metric.name).inserted { fault("declares the metric \(metric.name) a second time") }
                if Self.forbiddenUnits.contains(where: { metric.name.replacing("_total", with: "").hasSuffix($0) }) {
                    fault("has the metric \(metric.name), which is not in base units (seconds, bytes)")
                }
            }
        }

        func check(_ table: TableDeclaration, _ fault: (String) -> Void) {
            if !manifests.contains(where: { $0.tables.contains { $0.name == table.name } && table.name.hasPrefix("\($0.id)_") }) {
                fault("has the table \(table.name), which lacks its prefix")
            }
            guard table.isUserLinked else { return }
            if table.export == nil, table.exportPage == nil { fault("has no exporter for the user-linked table \(table.name)") }
            if table.erase == nil { fault("has no eraser for the user-linked table \(table.name)") }
        }
    }

    private static func isIdentifier(_ text: String) -> Bool {
        guard let first = text.utf8.first, (0x61...0x7A).contains(first) else { return false }
        return text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) }
    }
}

/// Every fault that prevents the server from starting.
public struct PlanError: Error, CustomStringConvertible {
    /// At least one fault.
    public let faults: [ModuleFault]

    /// All faults, one per line.
    public var description: String {
        (["the modules do not fit together:"] + faults.map { "  \($0)" }).joined(separator: "\n")
    }
}

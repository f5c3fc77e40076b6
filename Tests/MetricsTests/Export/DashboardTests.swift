import Spark
import SparkKit
import SparkMetrics
import SparkServer
import Testing

@Suite("Dashboard")
struct DashboardTests {
    private let declared: [MetricDeclaration] = (KernelManifests.all + sparkModules.map { $0.manifest }).flatMap(\.metrics)
    private let dashboard = GrafanaDashboard(MetricGroup.all(KernelManifests.all + sparkModules.map { $0.manifest }))

    /// The names under which a metric's samples are known.
    private var sampleNames: Set<String> {
        Set(
            declared.flatMap { metric in
                metric.kind == .histogram ? ["_bucket", "_sum", "_count"].map { metric.name + $0 } : [metric.name]
            })
    }

    private func queries() throws -> [PromQuery] {
        try dashboard.rows.flatMap(\.panels).flatMap(\.queries).map { query in
            try PromQuery(query.expression.replacing("$__rate_interval", with: "1m").replacing("$instance", with: ".*"))
        }
    }

    @Test("Every declared metric has a panel, under the part of the server that declares it")
    func complete() throws {
        let names = Set(try queries().flatMap(\.names))
        for metric in declared {
            let name = metric.kind == .histogram ? "\(metric.name)_bucket" : metric.name
            #expect(names.contains(name), "\(metric.name)")
        }
        #expect(dashboard.rows.map(\.title).contains("matching"))
    }

    @Test("Every expression can be parsed and uses only declared metrics")
    func declaredOnly() throws {
        for query in try queries() { #expect(query.names.isSubset(of: sampleNames), "\(query.text)") }
    }

    @Test("Labels that an expression keeps apart are labels of its metric")
    func legends() throws {
        let labels = Set(declared.flatMap(\.labels)).union(["instance", "le"])
        for query in dashboard.rows.flatMap(\.panels).flatMap(\.queries) {
            for group in query.expression.matches(of: /by \(([^)]*)\)/) {
                let names = group.1.split(separator: ",").map { $0.trimmingPrefix(" ") }
                #expect(names.allSatisfy { labels.contains(String($0)) }, "\(query.expression)")
            }
        }
    }

    @Test("Panels have identifiers of their own and do not lie on each other")
    func places() throws {
        let panels = try #require(dashboard.json["panels"]?.array)
        #expect(Set(panels.compactMap { $0["id"]?.integer }).count == panels.count)
        let corners = panels.map { "\($0["gridPos"]?["x"]?.integer ?? -1) \($0["gridPos"]?["y"]?.integer ?? -1)" }
        #expect(Set(corners).count == panels.count)
        #expect(dashboard.json["schemaVersion"]?.integer == 39)
    }

    @Test("The rules use only declared metrics and what Prometheus itself records about its targets")
    func rules() {
        let names = Set(DefaultRules.groups.flatMap(\.rules).flatMap(\.expression.names)).subtracting(["up"])
        #expect(names.subtracting(sampleNames).isEmpty, "\(names.subtracting(sampleNames))")
    }
}

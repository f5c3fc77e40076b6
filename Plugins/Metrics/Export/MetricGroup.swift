package import SparkKit

/// The metrics of one module: a row of panels.
package struct MetricGroup: Sendable {
    package let title: String
    package let metrics: [MetricDeclaration]

    package init(title: String, metrics: [MetricDeclaration]) {
        self.title = title
        self.metrics = metrics
    }

    /// One group per manifest that declares metrics.
    package static func all(_ manifests: [ModuleManifest]) -> [MetricGroup] {
        manifests.filter { !$0.metrics.isEmpty }.map { MetricGroup(title: $0.id, metrics: $0.metrics) }
    }
}

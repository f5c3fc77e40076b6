import SparkKit

/// The labels of a series, sorted by name.
struct LabelSet: Hashable, Comparable, Sendable {
    let labels: [MetricLabel]

    init(_ dimensions: [(String, String)]) {
        labels = dimensions.map { MetricLabel(name: MetricText.labelName($0.0), value: $0.1) }.sorted { $0.name < $1.name }
    }

    private init(labels: [MetricLabel]) { self.labels = labels }

    static func < (left: LabelSet, right: LabelSet) -> Bool {
        left.labels.lexicographicallyPrecedes(right.labels) { ($0.name, $0.value) < ($1.name, $1.value) }
    }

    /// The labels of the overflow series: the same names, each with the value `other`.
    var overflow: LabelSet { LabelSet(labels: labels.map { MetricLabel(name: $0.name, value: "other") }) }
}

/// The series of one name in the registry.
struct Family: Sendable {
    let kind: MetricDeclaration.Kind
    private(set) var declaration: MetricDeclaration?
    private(set) var series: [LabelSet: any Instrument] = [:]
    /// How often a new set of labels exceeded the limit.
    private(set) var overflows = 0

    init(kind: MetricDeclaration.Kind) { self.kind = kind }

    var help: String { declaration?.help ?? "Recorded, but declared by no module." }
    var buckets: [Double] { declaration?.buckets ?? MetricDeclaration.durationBuckets }
    private var maximumSeries: Int { declaration?.maximumSeries ?? 200 }

    mutating func declare(_ declaration: MetricDeclaration) {
        if declaration.kind == kind, self.declaration == nil { self.declaration = declaration }
    }

    /// What is wrong with recording under these labels; nil when nothing is.
    func fault(of key: LabelSet) -> String? {
        guard let declaration else { return "is not declared" }
        let names = key.labels.map(\.name)
        return names == declaration.labels.sorted() ? nil : "is recorded with the labels \(names)"
    }

    /// The series of these labels, or the overflow series beyond the limit. Nil if the series is of another type.
    mutating func instrument<Made: Instrument>(_ key: LabelSet, make: (Family) -> Made) -> Made? {
        if let known = series[key] { return known as? Made }
        var key = key
        if series.count >= maximumSeries, !key.labels.isEmpty {
            overflows += 1
            key = key.overflow
            if let known = series[key] { return known as? Made }
        }
        let made = make(self)
        series[key] = made
        return made
    }
}

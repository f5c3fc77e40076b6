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

    /// The same names, each with the value that stands for all that found no room.
    var overflow: LabelSet { LabelSet(labels: labels.map { MetricLabel(name: $0.name, value: "other") }) }
}

/// What the registry keeps of one name.
struct Family: Sendable {
    let kind: MetricDeclaration.Kind
    private(set) var declaration: MetricDeclaration?
    private(set) var series: [LabelSet: any Instrument] = [:]
    /// How often a new combination of labels found no room.
    private(set) var overflows = 0

    init(kind: MetricDeclaration.Kind) { self.kind = kind }

    var help: String { declaration?.help ?? "Recorded, but declared by no module." }
    var buckets: [Double] { declaration?.buckets ?? MetricDeclaration.durationBuckets }
    private var maximumSeries: Int { declaration?.maximumSeries ?? 200 }

    mutating func declare(_ declaration: MetricDeclaration) {
        if declaration.kind == kind, self.declaration == nil { self.declaration = declaration }
    }

    /// What is wrong with recording under such labels.
    func fault(of key: LabelSet) -> String? {
        guard let declaration else { return "is not declared" }
        let names = key.labels.map(\.name)
        return names == declaration.labels.sorted() ? nil : "is recorded with the labels \(names)"
    }

    /// The series of these labels, the one for all others if there is no room; nil if it is of another form.
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

/// Samples of all series at one interval. Older samples are in packed chunks, the newest are unpacked.
///
/// A series is identified by a number. All series are sampled at the same times, so the times are stored once.
struct HistoryTier: Sendable {
    /// Samples per chunk.
    static let chunkLength = 60

    struct Chunk: Sendable {
        /// Milliseconds, ascending.
        let times: [Int64]
        let columns: [Int: SampleColumn]
    }

    /// The minimum time between samples (milliseconds).
    let distance: Int64
    /// How long samples are kept (milliseconds).
    let span: Int64
    private(set) var chunks: [Chunk] = []
    private(set) var times: [Int64] = []
    private var columns: [Int: [Double]] = [:]

    init(distance: Int64, span: Int64) {
        self.distance = distance
        self.span = span
    }

    var lastTime: Int64? { times.last ?? chunks.last?.times.last }
    var firstTime: Int64? { chunks.first?.times.first ?? times.first }
    var allTimes: [Int64] { chunks.flatMap(\.times) + times }
    /// The series that have a sample.
    var series: Set<Int> { chunks.reduce(into: Set(columns.keys)) { $0.formUnion($1.columns.keys) } }

    /// Adds one sample of each series.
    /// - Returns: whether a chunk was finished.
    mutating func add(_ values: [Int: Double], at time: Int64) -> Bool {
        for (series, value) in values {
            var column = columns[series] ?? []
            pad(&column, to: times.count)
            column.append(value)
            columns[series] = column
        }
        times.append(time)
        chunks.removeAll { ($0.times.last ?? 0) < time - span }
        guard times.count >= Self.chunkLength else { return false }
        seal()
        return true
    }

    /// The samples of a series since a time.
    func samples(of series: Int, since: Int64) -> [(time: Int64, value: Double)] {
        var found: [(time: Int64, value: Double)] = []
        func take(_ times: [Int64], _ values: [Double]) {
            for (time, value) in zip(times, values) where time >= since && !value.isNaN { found.append((time, value)) }
        }
        for chunk in chunks where (chunk.times.last ?? 0) >= since {
            if let values = chunk.columns[series]?.values(count: chunk.times.count) { take(chunk.times, values) }
        }
        if let column = columns[series] { take(times, column) }
        return found
    }

    /// All samples in packed form, including the unfinished chunk, for the file.
    var packed: [Chunk] {
        var copy = self
        if !copy.times.isEmpty { copy.seal() }
        return copy.chunks
    }

    /// Restores saved chunks that are not too old.
    mutating func restore(_ kept: [Chunk], at now: Int64) {
        var last = Int64.min
        for chunk in kept {
            guard let first = chunk.times.first, first > last, let end = chunk.times.last, end <= now, end >= now - span else {
                continue
            }
            last = end
            chunks.append(chunk)
        }
    }

    /// Removes chunks that end after a time, and the unpacked samples if they do.
    mutating func forget(after now: Int64) {
        chunks.removeAll { ($0.times.last ?? 0) > now }
        guard let last = times.last, last > now else { return }
        times = []
        columns = [:]
    }

    private mutating func seal() {
        let count = times.count
        chunks.append(
            Chunk(
                times: times,
                columns: columns.mapValues { column in
                    var column = column
                    pad(&column, to: count)
                    return SampleColumn(column)
                }))
        times = []
        columns = [:]
    }

    private func pad(_ column: inout [Double], to count: Int) {
        if column.count < count { column.append(contentsOf: repeatElement(.nan, count: count - column.count)) }
    }
}

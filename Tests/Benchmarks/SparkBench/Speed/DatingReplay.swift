import Crypto
public import Foundation
import Logging
public import SparkCache
import SparkCore
import Synchronization

/// The dating trace through the real cache: real values, compressed and sealed on a real disk; only the clock is manual.
///
/// Every answer is checked: it must be of the key that was asked for, and of its newest version.
public struct DatingReplay: Sendable {
    public struct Outcome: Sendable {
        public var reads = 0
        /// Loads that a reader waited for.
        public var misses = 0
        /// All loads: those, and the ones behind stale answers and for prefetches.
        public var loads = 0
        /// Answers of another key or of an old version.
        public var wrongAnswers = 0
        public var statistics: CacheStatistics
        /// Raw bytes of the values that were loaded or written.
        public var rawBytes = 0
        public var seconds = 0.0
        public var hitRatio: Double { reads == 0 ? 0 : 1 - Double(misses) / Double(reads) }
        /// Loads of any kind for each read.
        public var loadsPerRead: Double { reads == 0 ? 0 : Double(loads) / Double(reads) }
        /// Raw bytes written to the disk for each raw byte that was loaded or written.
        public var writeAmplification: Double { Double(statistics.spill?.rawBytesWritten ?? 0) / Double(max(1, rawBytes)) }
        /// Bytes written to the disk for each raw byte that they encode.
        public var storedRatio: Double {
            Double(statistics.spill?.bytesWritten ?? 0) / Double(max(1, statistics.spill?.rawBytesWritten ?? 0))
        }
        public var diskHits: Int {
            statistics.namespaces.flatMap(\.requests).filter { $0.layer == "disk" && $0.result == "hit" }
                .reduce(0) { $0 + $1.count }
        }
    }

    private let trace: DatingTrace
    private let regime = FreshnessRegime.stampsHints
    private let cache: Cache
    private let clock: ManualClock
    private let origin: DatingOrigin
    private let namespaces: [CacheNamespace<CacheKey, [UInt8]>]
    private let directory: URL

    /// - Parameters:
    ///   - memory: bytes.
    ///   - disk: bytes; 0 for none.
    ///   - directory: for the spill; removed afterwards.
    public init(_ trace: DatingTrace, memory: Int, disk: Int, directory: URL) {
        self.trace = trace
        self.directory = directory
        self.clock = ManualClock(DatingOrigin.begin)
        self.origin = DatingOrigin(trace)
        var configuration = CacheConfiguration(memoryBytes: memory)
        if disk > 0 {
            configuration.spill = CacheConfiguration.SpillSettings(
                directory: directory, bytes: disk, key: SymmetricKey(size: .bits256), isWarm: false, fingerprint: "bench")
        }
        let cache = Cache(
            configuration, clock: clock, random: SeededRandomSource(seed: 1), logger: Logger(label: "spark.bench"))
        self.cache = cache
        let regime = regime
        self.namespaces = DatingNamespace.allCases.map { namespace in
            let rule = regime.rule(namespace.rawValue)
            var policy = NamespacePolicy("\(namespace)", lifetime: .milliseconds(rule.lifetime))
            policy.staleWhileRevalidate = .milliseconds(rule.staleWhileRevalidate)
            policy.isSpilled = rule.isSpilled
            return cache.namespace(policy, key: CacheKey.self, value: [UInt8].self)
        }
        cache.open()
    }

    /// - Parameter progress: called from time to time with the share that is done.
    public func run(_ progress: (Double) -> Void = { _ in }) async throws -> Outcome {
        let begin = ContinuousClock.now
        var outcome = Outcome(statistics: cache.statistics)
        var count = 0
        let end = Double(trace.hours) * 3_600_000
        for request in trace.requests() {
            clock.move(to: DatingOrigin.begin, plus: request.time)
            switch request.kind {
            case .read: try await read(request, &outcome)
            case .write: write(request)
            case .sessionBegins: try await fetchAhead(request)
            case .sessionEnds: namespaces[Int(request.namespace)].demote(CacheKey(low: UInt64(request.key)))
            }
            count += 1
            // A day passes in minutes here: the disk gets the time that it would have had.
            if count % 512 == 0 { await cache.drainSpill() }
            if count % 65_536 == 0 {
                cache.sweep()
                progress(Double(request.time) / end)
            }
        }
        await cache.drainSpill()
        outcome.statistics = cache.statistics
        outcome.loads = origin.loads
        outcome.rawBytes = origin.bytesGiven
        outcome.seconds = begin.duration(to: .now).inSeconds
        await cache.close()
        try? FileManager.default.removeItem(at: directory)
        return outcome
    }

    private func value(_ request: TraceRequest) async throws -> [UInt8]? {
        let key = Int(request.key)
        let origin = origin
        return try await namespaces[Int(request.namespace)].value(CacheKey(low: UInt64(key)), tags: [Self.tag(key)]) { _ in
            origin.load(key)
        }
    }

    private func read(_ request: TraceRequest, _ outcome: inout Outcome) async throws {
        let before = origin.serial
        let value = try await value(request)
        outcome.reads += 1
        guard let value, let head = DatingOrigin.head(of: value) else {
            outcome.wrongAnswers += 1
            return
        }
        // Created after this read began: the reader waited for it.
        if head.serial >= before { outcome.misses += 1 }
        if head.key != request.key || head.version != origin.version(Int(request.key)) { outcome.wrongAnswers += 1 }
    }

    /// From the disk if it is there, else from the origin.
    private func fetchAhead(_ request: TraceRequest) async throws { _ = try await value(request) }

    private func write(_ request: TraceRequest) {
        let consequence = regime.consequence(of: request, layout: trace.layout)
        for key in consequence.old {
            origin.change(key)
            cache.invalidate([Self.tag(key)])
        }
        for key in consequence.changed {
            origin.change(key)
            let namespace = trace.layout.namespace(of: key)
            let tag = Self.tag(key)
            // A profile and preferences appear in other people's answers; other entries are only replaced by the put.
            if namespace == .profile || namespace == .preferences { cache.invalidate([tag]) }
            namespaces[Int(namespace.rawValue)].put(CacheKey(low: UInt64(key)), origin.write(key), tags: [tag])
        }
    }

    private static let tagKind = CacheTagKind("bench.object")
    private static func tag(_ key: Int) -> CacheTag { CacheTag(tagKind, UInt64(key)) }
}

extension ManualClock {
    fileprivate func move(to begin: Timestamp, plus milliseconds: Int64) {
        let ahead = begin + .milliseconds(milliseconds) - now()
        if ahead > .zero { advance(by: ahead) }
    }
}

import Dispatch
import Glibc
import SparkCore
import Synchronization

/// The result of one way of querying a peer.
public struct PeerFigure: Sendable {
    public let peer: String
    /// See `Peer.isOnDisk`.
    let isOnDisk: Bool
    /// `get` or `put`.
    public let verb: String
    public let connections: Int
    /// Requests that are sent before the first answer is read.
    public let pipeline: Int
    /// All connections together.
    public let requestsPerSecond: Double
    public let hits: Int
    public let requests: Int
    /// Microseconds from sending a batch to its last answer.
    public let p50: Double
    public let p99: Double
}

/// Queries a peer for a while, on blocking sockets, one thread each.
public struct PeerLoad: Sendable {
    let peer: Peer
    let keys: Int
    let valueBytes: Int
    let seconds: Double

    /// - Parameters:
    ///   - keys: values 0..<keys are stored by `fill` and asked for.
    ///   - seconds: how long each measurement lasts.
    public init(_ peer: Peer, keys: Int, valueBytes: Int, seconds: Double) {
        self.peer = peer
        self.keys = keys
        self.valueBytes = valueBytes
        self.seconds = seconds
    }

    static func key(_ number: Int) -> String { "user:profile:\(100_000_000 + number)" }

    /// Stores every value.
    /// - Parameter rate: the maximum of values a second; nil for no limit.
    public func fill(rate: Double? = nil) throws {
        let socket = try peer.connect()
        let texts = SampleTexts(bytes: valueBytes)
        let begin = ContinuousClock.now
        for first in stride(from: 0, to: keys, by: 32) {
            let batch = first..<min(keys, first + 32)
            try socket.send(batch.flatMap { peer.dialect.put(Self.key($0), texts.value($0)) })
            for _ in batch { try peer.dialect.readPut(socket) }
            guard let rate else { continue }
            let ahead = Double(batch.upperBound) / rate - begin.duration(to: .now).inSeconds
            if ahead > 0 { usleep(UInt32(ahead * 1e6)) }
        }
    }

    public func get(connections: Int, pipeline: Int) throws -> PeerFigure {
        try measure("get", connections, pipeline)
    }

    public func put(connections: Int, pipeline: Int) throws -> PeerFigure {
        try measure("put", connections, pipeline)
    }

    private struct Tally {
        var requests = 0
        var hits = 0
        var rate = 0.0
        var microseconds: [Double] = []
        var failure: (any Error)?
    }

    private func measure(_ verb: String, _ connections: Int, _ pipeline: Int) throws -> PeerFigure {
        let sum = Mutex(Tally())
        DispatchQueue.concurrentPerform(iterations: connections) { thread in
            do {
                let part = try ask(verb, pipeline, seed: UInt64(thread + 1))
                sum.withLock { sum in
                    sum.requests += part.requests
                    sum.hits += part.hits
                    sum.rate += part.rate
                    sum.microseconds += part.microseconds
                }
            } catch {
                sum.withLock { $0.failure = error }
            }
        }
        let all = sum.withLock { $0 }
        if let failure = all.failure { throw failure }
        let sorted = all.microseconds.sorted()
        return PeerFigure(
            peer: peer.name, isOnDisk: peer.isOnDisk, verb: verb, connections: connections, pipeline: pipeline,
            requestsPerSecond: all.rate,
            hits: all.hits, requests: all.requests, p50: Quantile.of(sorted, 0.5), p99: Quantile.of(sorted, 0.99))
    }

    /// One connection's part. The requests are built before the clock runs, because building them is not free.
    private func ask(_ verb: String, _ pipeline: Int, seed: UInt64) throws -> Tally {
        let socket = try peer.connect()
        let texts = SampleTexts(bytes: valueBytes)
        var dice = Dice(seed: seed)
        let batches = (0..<512).map { _ in
            (0..<pipeline).flatMap { _ -> [UInt8] in
                let number = dice.below(keys)
                return verb == "get"
                    ? peer.dialect.get(Self.key(number)) : peer.dialect.put(Self.key(number), texts.value(number))
            }
        }
        var tally = Tally()
        let begin = ContinuousClock.now
        var last = begin
        while begin.duration(to: last).inSeconds < seconds {
            try socket.send(batches[tally.microseconds.count & 511])
            for _ in 0..<pipeline {
                if verb == "get" {
                    if try peer.dialect.readGet(socket) { tally.hits += 1 }
                } else {
                    try peer.dialect.readPut(socket)
                }
            }
            let now = ContinuousClock.now
            tally.microseconds.append(last.duration(to: now).inSeconds * 1e6)
            tally.requests += pipeline
            last = now
        }
        tally.rate = Double(tally.requests) / begin.duration(to: last).inSeconds
        return tally
    }
}

/// The values at given shares of a sorted list.
public enum Quantile {
    public static func of(_ sorted: [Double], _ share: Double) -> Double {
        guard !sorted.isEmpty else { return 0 }
        return sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
    }

    public static func median(_ values: [Double]) -> Double { of(values.sorted(), 0.5) }
}

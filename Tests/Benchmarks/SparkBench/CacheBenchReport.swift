import SparkCache
public import SparkCore

/// The figures of one run. Times are of one step as one thread sees it, while two threads run.
public struct CacheBenchReport: JSONWritable, Sendable {
    public let memory: MemorySpeed
    public let spill: SpillSpeed
    public let dating: DatingReplay.Outcome
    /// The dating trace under short fixed lifetimes, in memory without a bound: an upper bound for any cache with these lifetimes.
    public let shortDeleting: Double
    public let shortWriteThrough: Double
    public let peers: [PeerFigure]

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("get_ns", memory.get.rounded())
            writer.field("put_ns", memory.put.rounded())
            writer.field("dictionary_get_ns", memory.dictionaryGet.rounded())
            writer.field("dictionary_put_ns", memory.dictionaryPut.rounded())
            writer.field("spill_p50_us", spill.p50.rounded(to: 2))
            writer.field("spill_p99_us", spill.p99.rounded(to: 2))
            writer.field("spill_hits_per_second", Int(spill.hitsPerSecond))
            writer.field("spill_puts_per_second", Int(spill.putsPerSecond))
            writer.field("spill_misses", spill.misses)
            writer.field("write_amplification", spill.writeAmplification.rounded(to: 3))
            writer.field("disk_bytes_per_raw_byte", spill.storedRatio.rounded(to: 3))
            writer.field("index_bytes_per_entry", spill.indexBytesPerEntry.rounded(to: 1))
            writer.field("hit_ratio", dating.hitRatio.rounded(to: 4))
            writer.field("hit_ratio_short_ttl", shortDeleting.rounded(to: 4))
            writer.field("hit_ratio_short_ttl_write_through", shortWriteThrough.rounded(to: 4))
            writer.key("dating")
            writer.object { writer in
                writer.field("reads", dating.reads)
                writer.field("loads_per_read", dating.loadsPerRead.rounded(to: 4))
                writer.field("disk_hits", dating.diskHits)
                writer.field("wrong_answers", dating.wrongAnswers)
                writer.field("write_amplification", dating.writeAmplification.rounded(to: 3))
                writer.field("disk_bytes_per_raw_byte", dating.storedRatio.rounded(to: 3))
                writer.field("disk_bytes", dating.statistics.spill?.bytesOnDisk ?? 0)
                writer.field("memory_bytes", dating.statistics.memoryBytes)
                writer.field("memory_budget", dating.statistics.memoryBudget)
                writer.field("seconds", dating.seconds.rounded(to: 1))
            }
            writer.key("peers")
            writer.array(peers)
        }
    }

    /// For a terminal: one figure per line, and the peers with the ratio of their time to Spark's.
    public var lines: [String] {
        func number(_ value: Double, _ digits: Int = 0) -> String {
            digits == 0 ? "\(Int(value.rounded()))" : "\(value.rounded(to: digits))"
        }
        func percent(_ value: Double) -> String { "\((value * 100).rounded(to: 1)) %" }
        var lines = [
            "memory, 1 KB, two threads: get \(number(memory.get)) ns, put \(number(memory.put)) ns",
            "  a dictionary under one lock: get \(number(memory.dictionaryGet)) ns, put \(number(memory.dictionaryPut)) ns",
            "disk, 2 KB, data ten times memory: p50 \(number(spill.p50, 2)) µs, p99 \(number(spill.p99, 2)) µs, "
                + "\(number(spill.hitsPerSecond)) hits/s on two threads, \(spill.misses) misses of \(spill.gets)",
            "  fill \(number(spill.putsPerSecond))/s, each byte written \(number(spill.writeAmplification, 2)) times, "
                + "\(number(spill.storedRatio, 2)) bytes on disk a byte, \(number(spill.indexBytesPerEntry, 1)) bytes of memory an entry",
            "dating trace, \(dating.reads) reads: hit ratio \(percent(dating.hitRatio)), \(dating.diskHits) hits from the disk, "
                + "\(number(dating.loadsPerRead, 3)) loads a read, \(dating.wrongAnswers) wrong answers",
            "  each byte written \(number(dating.writeAmplification, 2)) times, \(number(dating.storedRatio, 2)) bytes on disk a byte, "
                + "\(number(dating.seconds)) s",
            "  under short fixed TTLs, memory without bound: \(percent(shortDeleting)); with write-through "
                + percent(shortWriteThrough),
        ]
        for peer in peers {
            let own = peer.isOnDisk ? 1e9 / max(1, spill.hitsPerSecond) : (peer.verb == "get" ? memory.get : memory.put) / 2
            lines.append(
                "\(peer.peer) \(peer.verb), \(peer.connections) connections, pipeline \(peer.pipeline): "
                    + "\(number(peer.requestsPerSecond))/s, p50 \(number(peer.p50, 1)) µs, p99 \(number(peer.p99, 1)) µs, "
                    + "hits \(peer.verb == "get" ? percent(peer.hitRatio) : "-"), Spark on two threads "
                    + "\(number(1e9 / own / max(1, peer.requestsPerSecond), 1)) times as many")
        }
        return lines
    }
}

extension PeerFigure: JSONWritable {
    var hitRatio: Double { requests == 0 ? 0 : Double(hits) / Double(requests) }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("peer", peer)
            writer.field("verb", verb)
            writer.field("connections", connections)
            writer.field("pipeline", pipeline)
            writer.field("requests_per_second", Int(requestsPerSecond))
            writer.field("p50_us", p50.rounded(to: 1))
            writer.field("p99_us", p99.rounded(to: 1))
            if verb == "get" { writer.field("hit_ratio", hitRatio.rounded(to: 3)) }
        }
    }
}

extension Double {
    /// Rounded to a number of decimal places.
    func rounded(to digits: Int) -> Double {
        var factor = 1.0
        for _ in 0..<digits { factor *= 10 }
        return (self * factor).rounded() / factor
    }
}

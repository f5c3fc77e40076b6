import Foundation
import SparkBench
import Testing

/// A trace of the catalogue, small enough for a test.
func tinyTrace(_ name: String, seed: UInt64 = 1) -> (any CacheTrace)? {
    name == "dating" ? DatingTrace(people: 200, hours: 6, seed: seed) : TraceCatalogue.trace(name, size: .small, seed: seed)
}

@Suite("Traces")
struct TraceTests {
    @Test("the same seed gives the same requests, another seed others", arguments: TraceCatalogue.names)
    func determinism(name: String) throws {
        let trace = try #require(tinyTrace(name, seed: 9))
        let again = try #require(tinyTrace(name, seed: 9))
        let other = try #require(tinyTrace(name, seed: 10))
        #expect(trace.requests().elementsEqual(again.requests()))
        #expect(trace.requests().elementsEqual(trace.requests()))
        #expect(!trace.requests().elementsEqual(other.requests()))
    }

    @Test("times never fall, keys and sizes are within their bounds", arguments: TraceCatalogue.names)
    func soundness(name: String) throws {
        let trace = try #require(tinyTrace(name))
        var time: Int64 = 0
        let unsound = trace.requests().first { request in
            defer { time = request.time }
            return request.time < time || request.key >= UInt32(trace.objectCount) || !(200...20_000).contains(request.size)
                || Int(request.size) != trace.size(of: Int(request.key))
        }
        #expect(unsound == nil)
    }

    @Test("Zipf draws have the frequencies of the law", arguments: [0.9, 1.0, 1.3])
    func zipf(exponent: Double) {
        let trace = ZipfTrace(exponent: exponent, objects: 100, requests: 200_000, seed: 3)
        var counts = [Int](repeating: 0, count: 100)
        for key in trace.readKeys() { counts[Int(key)] += 1 }
        let whole = (1...100).reduce(0.0) { $0 + pow(Double($1), -exponent) }
        for rank in [1, 2, 3, 10, 50] {
            let expected = 200_000 * pow(Double(rank), -exponent) / whole
            #expect(abs(Double(counts[rank - 1]) - expected) < 6 * expected.squareRoot(), "rank \(rank)")
        }
    }

    @Test("an unknown name gives no trace")
    func unknown() {
        #expect(TraceCatalogue.trace("nothing", size: .small) == nil)
    }

    @Test("a session on the dating trace begins, reads its own entries, and ends")
    func sessions() throws {
        let trace = DatingTrace(people: 300, hours: 6, seed: 4)
        var begun: Set<UInt32> = []
        var counts: [TraceRequest.Kind: Int] = [:]
        var beforeBegin = 0, misplaced = 0
        for request in trace.requests() {
            counts[request.kind, default: 0] += 1
            if request.kind == .sessionBegins { begun.insert(request.user) }
            if !begun.contains(request.user) { beforeBegin += 1 }
            if trace.layout.namespace(of: Int(request.key)).rawValue != request.namespace { misplaced += 1 }
        }
        #expect(beforeBegin == 0)
        #expect(misplaced == 0)
        #expect(begun.count > 50)
        for kind: TraceRequest.Kind in [.read, .write, .sessionBegins, .sessionEnds] { #expect(counts[kind, default: 0] > 100) }
    }

    @Test("the file for the outside judge holds every read with its next use")
    func file() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("spark-trace-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: url) }
        #expect(try TraceFile.write(SpelledTrace(keys: [1, 0, 1], sizes: [300, 200]), to: url) == 3)
        let bytes = try Data(contentsOf: url)
        #expect(bytes.count == 72)
        func number<Number: FixedWidthInteger>(_ offset: Int, as type: Number.Type) -> Number {
            bytes[offset..<offset + Number.bitWidth / 8].reversed().reduce(0) { $0 << 8 | Number(truncatingIfNeeded: $1) }
        }
        #expect((0..<3).map { number($0 * 24 + 4, as: UInt64.self) } == [2, 1, 2])
        #expect((0..<3).map { number($0 * 24 + 12, as: UInt32.self) } == [200, 300, 200])
        #expect((0..<3).map { number($0 * 24 + 16, as: Int64.self) } == [2, -1, -1])
    }
}

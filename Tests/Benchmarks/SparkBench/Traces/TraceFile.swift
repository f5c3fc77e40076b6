public import Foundation

/// A trace as a file that libCacheSim reads (its `oracleGeneral` format), so that another simulator sees the same requests.
///
/// Reads only. A record has 24 bytes, little-endian, without padding: seconds (32 bits), key (64), size (32), and the index
/// of the request that reads the key next (64 bits signed; −1: none).
public enum TraceFile {
    /// - Returns: the number of requests written.
    @discardableResult
    public static func write(_ trace: some CacheTrace, to url: URL) throws -> Int {
        let keys = trace.readKeys()
        let nextUses = NextUse.indices(keys, objectCount: trace.objectCount)
        try Data().write(to: url)
        let file = try FileHandle(forWritingTo: url)
        defer { try? file.close() }
        var block = Data()
        var index = 0
        for request in trace.requests() where request.kind == .read {
            append(UInt32(truncatingIfNeeded: request.time / 1_000), to: &block)
            // 0 is not a valid key there.
            append(UInt64(request.key) + 1, to: &block)
            append(request.size, to: &block)
            append(nextUses[index] == NextUse.never ? -1 : Int64(nextUses[index]), to: &block)
            index += 1
            if block.count >= 1 << 20 {
                try file.write(contentsOf: block)
                block.removeAll(keepingCapacity: true)
            }
        }
        try file.write(contentsOf: block)
        return keys.count
    }

    private static func append(_ value: some FixedWidthInteger, to data: inout Data) {
        withUnsafeBytes(of: value.littleEndian) { data.append(contentsOf: $0) }
    }
}

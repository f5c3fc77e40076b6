import CZlib

/// Gzip compression (RFC 1952), for bodies that are compressed once.
enum Gzip {
    /// Zlib's window bits plus 16, which selects a gzip header and trailer.
    private static let gzipWindow: Int32 = 15 + 16

    /// The bytes at the highest compression level; nil if zlib lacks memory.
    static func compress(_ bytes: [UInt8]) -> [UInt8]? {
        guard let length = UInt32(exactly: bytes.count) else { return nil }
        var stream = z_stream()
        let size = Int32(MemoryLayout<z_stream>.size)
        guard
            deflateInit2_(
                &stream, Z_BEST_COMPRESSION, Z_DEFLATED, gzipWindow, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size) == Z_OK
        else { return nil }
        defer { deflateEnd(&stream) }
        let bound = deflateBound(&stream, UInt(length))
        guard let room = UInt32(exactly: bound) else { return nil }
        var input = bytes
        return input.withUnsafeMutableBufferPointer { input -> [UInt8]? in
            var isDone = false
            let output = [UInt8](unsafeUninitializedCapacity: Int(room)) { output, count in
                stream.next_in = input.baseAddress
                stream.avail_in = length
                stream.next_out = output.baseAddress
                stream.avail_out = room
                isDone = deflate(&stream, Z_FINISH) == Z_STREAM_END
                count = isDone ? Int(room - stream.avail_out) : 0
            }
            return isDone ? output : nil
        }
    }
}

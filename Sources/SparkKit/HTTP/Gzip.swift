import CZlib

/// Gzip compression (RFC 1952) of whole bodies. Its memory (256 KiB) is used again for each body. For one thread at a time.
package final class GzipCompressor {
    /// How much work is spent on a body.
    package enum Level: Int32 {
        /// For bodies that are compressed for each answer.
        case fast = 4
        /// For bodies that are compressed once.
        case best = 9
    }

    /// Zlib's window bits plus 16, which selects a gzip header and trailer.
    private static let gzipWindow: Int32 = 15 + 16

    /// Zlib keeps a pointer to it, so it never moves.
    private let stream: UnsafeMutablePointer<z_stream>

    /// Nil if zlib lacks memory.
    package init?(level: Level) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let size = Int32(MemoryLayout<z_stream>.size)
        guard
            deflateInit2_(
                stream, level.rawValue, Z_DEFLATED, Self.gzipWindow, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size) == Z_OK
        else {
            stream.deallocate()
            return nil
        }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    /// The compressed bytes; nil for more than 4 GiB, or if zlib fails.
    package func compress(_ bytes: [UInt8]) -> [UInt8]? {
        guard let length = UInt32(exactly: bytes.count), deflateReset(stream) == Z_OK,
            let room = UInt32(exactly: deflateBound(stream, UInt(length)))
        else { return nil }
        return bytes.withUnsafeBufferPointer { input -> [UInt8]? in
            var isDone = false
            let output = [UInt8](unsafeUninitializedCapacity: Int(room)) { output, count in
                // Zlib reads the input only.
                stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                stream.pointee.avail_in = length
                stream.pointee.next_out = output.baseAddress
                stream.pointee.avail_out = room
                isDone = deflate(stream, Z_FINISH) == Z_STREAM_END
                count = isDone ? Int(room - stream.pointee.avail_out) : 0
            }
            return isDone ? output : nil
        }
    }
}

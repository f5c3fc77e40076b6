/// An archive of files for tar (POSIX.1-1988, ustar).
struct TarArchive {
    private static let block = 512

    private(set) var bytes: [UInt8] = []
    /// Of every file, in seconds since 1970.
    private let modified: Int64

    init(modified: Int64) { self.modified = modified }

    /// - Parameter path: of at most 100 bytes.
    mutating func add(_ path: String, _ content: [UInt8]) {
        var header = [UInt8](repeating: 0, count: Self.block)
        func put(_ text: some Sequence<UInt8>, at offset: Int, _ length: Int) {
            for (index, byte) in text.prefix(length).enumerated() { header[offset + index] = byte }
        }
        func octal(_ number: Int64, at offset: Int, _ digits: Int) {
            let text = String(max(0, number), radix: 8)
            put((String(repeating: "0", count: max(0, digits - text.count)) + text).utf8, at: offset, digits)
        }
        put(path.utf8, at: 0, 100)
        octal(0o600, at: 100, 7)
        octal(0, at: 108, 7)
        octal(0, at: 116, 7)
        octal(Int64(content.count), at: 124, 11)
        octal(modified, at: 136, 11)
        header[156] = UInt8(ascii: "0")
        put("ustar\u{0}00".utf8, at: 257, 8)
        // The sum counts its own field as blanks.
        put("        ".utf8, at: 148, 8)
        octal(header.reduce(0) { $0 + Int64($1) }, at: 148, 6)
        header[154] = 0
        bytes += header + content
        bytes += [UInt8](repeating: 0, count: (Self.block - content.count % Self.block) % Self.block)
    }

    /// Ends the archive with two empty blocks.
    mutating func finish() { bytes += [UInt8](repeating: 0, count: 2 * Self.block) }
}

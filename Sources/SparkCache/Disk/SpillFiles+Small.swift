import SparkFiles

extension SpillFiles {
    /// All of a file; nil where it is missing, cannot be read or is longer.
    func contents(of path: String, atMost limit: Int) -> [UInt8]? {
        guard let descriptor = try? open(path, .update) else { return nil }
        defer { close(descriptor) }
        guard let length = try? size(descriptor), length <= limit,
            let bytes = try? readBytes(descriptor, count: length, at: 0), bytes.count == length
        else { return nil }
        return bytes
    }

    /// Puts a file in the place of another of that name, in one step.
    /// - Parameter isLasting: on the disk before it returns, so that it outlives the machine's run.
    func store(_ bytes: [UInt8], at path: String, isLasting: Bool = false) throws(SpillFault) {
        try replace(path, with: bytes, isLasting: isLasting)
    }
}

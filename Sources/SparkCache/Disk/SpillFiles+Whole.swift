import Glibc

extension SpillFiles {
    /// Writes all of the bytes, or fails having written some.
    func writeWhole(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: Int) throws(SpillFault) {
        var done = 0
        while done < bytes.count {
            let count = try write(descriptor, UnsafeRawBufferPointer(rebasing: bytes[done...]), at: offset + done)
            guard count > 0 else { throw SpillFault(code: EIO) }
            done += count
        }
    }

    /// Fills the buffer as far as the file goes.
    /// - Returns: the bytes read; fewer than asked only at the end of the file.
    func readWhole(_ descriptor: Int32, into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws(SpillFault) -> Int {
        var done = 0
        while done < bytes.count {
            let count = try read(descriptor, into: UnsafeMutableRawBufferPointer(rebasing: bytes[done...]), at: offset + done)
            guard count > 0 else { break }
            done += min(count, bytes.count - done)
        }
        return done
    }

    /// `count` bytes from `offset`, or as many as the file has.
    func readBytes(_ descriptor: Int32, count: Int, at offset: Int) throws(SpillFault) -> [UInt8] {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count, 1), alignment: 16)
        defer { buffer.deallocate() }
        let read = try readWhole(descriptor, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<max(count, 0)]), at: offset)
        return Array(buffer[..<read])
    }
}

extension SpillFiles {
    func writeWhole(_ descriptor: Int32, _ bytes: [UInt8], at offset: Int) throws(SpillFault) {
        var fault: SpillFault?
        bytes.withUnsafeBytes { buffer in
            do throws(SpillFault) { try writeWhole(descriptor, buffer, at: offset) } catch { fault = error }
        }
        if let fault { throw fault }
    }
}

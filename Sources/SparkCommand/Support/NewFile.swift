import Glibc

/// A file that a verb made before its work.
enum NewFile {
    /// Removes it when the work failed. A process that became another user may not be able to; the operator then reads so.
    static func remove(_ path: String) {
        guard unlink(path) != 0, errno != ENOENT else { return }
        Terminal.note("\(Display.text(path)) is not whole and could not be removed: \(String(cString: strerror(errno)))")
    }
}

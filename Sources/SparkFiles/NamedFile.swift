import Glibc

/// Reads files that an operator names in a setting, a flag or a variable. Such a path may lead anywhere: only a regular file of
/// limited length is read, and nothing that is opened can block.
public enum NamedFile {
    /// Reads a whole file. A symbolic link is followed.
    /// - Parameter limit: the longest accepted file, in bytes.
    /// - Throws: `Refusal` with the reason.
    public static func contents(of path: String, atMost limit: Int) throws(Refusal) -> [UInt8] {
        let descriptor = try open(path, atMost: limit)
        defer { Glibc.close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: min(max(limit, 0) + 1, 65_536))
        while true {
            let count: Int
            do throws(FileFault) {
                count = try FileFault.check { read(descriptor, &chunk, chunk.count) }
            } catch {
                throw .unreadable(error)
            }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            // The file may grow while it is read.
            guard bytes.count <= limit else { throw .long(limit) }
        }
    }

    /// Describes why a file could not be read, without reading it; nil if it can.
    public static func refusal(of path: String, atMost limit: Int) -> Refusal? {
        do throws(Refusal) {
            Glibc.close(try open(path, atMost: limit))
            return nil
        } catch {
            return error
        }
    }

    /// The path from the root, for messages: a path of a setting begins in the working directory, which a reader does not know.
    public static func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/"), let folder = getcwd(nil, 0) else { return path }
        defer { free(folder) }
        let rest = path.hasPrefix("./") ? path.dropFirst(2) : path[...]
        let start = String(cString: folder)
        return start == "/" ? "/\(rest)" : "\(start)/\(rest)"
    }

    /// Why a file is not read.
    public enum Refusal: Error, Equatable, CustomStringConvertible {
        /// There is no such file.
        case missing
        /// It is something else, such as `a named pipe`.
        case kind(String)
        /// It is longer than this many bytes.
        case long(Int)
        /// The system refuses, for example because of the file's rights.
        case unreadable(FileFault)

        /// The reason as the end of a sentence about a path.
        public var description: String {
            switch self {
            case .missing: "No such file or directory (ENOENT)"
            case .kind(let word): "it is \(word), not a file"
            case .long(let limit): "it is longer than \(limit) bytes"
            case .unreadable(let fault): "\(fault)"
            }
        }
    }

    private static func open(_ path: String, atMost limit: Int) throws(Refusal) -> Int32 {
        // A path is a C string, which ends at its first zero byte.
        guard !path.utf8.contains(0) else { throw .unreadable(FileFault(code: EINVAL)) }
        // Looked at before it is opened: opening a device can have effects of its own.
        var status = stat()
        guard stat(path, &status) == 0 else { throw refusal(errno) }
        try check(status, limit)
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { throw refusal(errno) }
        do throws(Refusal) {
            guard fstat(descriptor, &status) == 0 else { throw refusal(errno) }
            try check(status, limit)
            return descriptor
        } catch {
            Glibc.close(descriptor)
            throw error
        }
    }

    private static func refusal(_ code: Int32) -> Refusal {
        code == ENOENT ? .missing : .unreadable(FileFault(code: code))
    }

    private static func check(_ status: stat, _ limit: Int) throws(Refusal) {
        let mode = status.st_mode & S_IFMT
        guard mode == S_IFREG else { throw .kind(word(mode)) }
        guard status.st_size <= limit else { throw .long(limit) }
    }

    /// What a file of this type is called.
    private static func word(_ mode: mode_t) -> String {
        switch mode & S_IFMT {
        case S_IFDIR: "a directory"
        case S_IFLNK: "a symbolic link"
        case S_IFIFO: "a named pipe"
        case S_IFSOCK: "a socket"
        case S_IFREG: "a file"
        default: "a device"
        }
    }
}

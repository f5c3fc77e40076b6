/// The file systems of this process's machine (proc_pid_mountinfo(5)).
struct MountTable {
    struct Mount: Equatable {
        let folder: String
        /// The type: `ext4`, `nfs4`, `fuse.sshfs`.
        let type: String
        let isReadOnly: Bool
    }

    let mounts: [Mount]

    /// - Parameter text: the content of /proc/self/mountinfo.
    init(_ text: String) {
        self.mounts = text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard let end = fields.firstIndex(of: "-"), end >= 6, fields.count > end + 1 else { return nil }
            let options = fields[5].split(separator: ",") + (fields.count > end + 3 ? fields[end + 3].split(separator: ",") : [])
            return Mount(
                folder: Self.unescaped(fields[4]), type: String(fields[end + 1]), isReadOnly: options.contains("ro"))
        }
    }

    /// The mount that holds a path, which is absolute and has no links; nil if the table has none.
    func mount(of path: String) -> Mount? {
        // Later mounts hide earlier ones at the same folder.
        mounts.reversed().filter { path == $0.folder || path.hasPrefix($0.folder == "/" ? "/" : $0.folder + "/") }
            .max { $0.folder.utf8.count < $1.folder.utf8.count }
    }

    /// Blanks, tabs, line breaks and backslashes are written in octal.
    private static func unescaped(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let first = rest.first {
            let digits = rest.dropFirst().prefix(3)
            if first == UInt8(ascii: "\\"), digits.count == 3,
                let byte = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
            {
                bytes.append(byte)
                rest = rest.dropFirst(4)
            } else {
                bytes.append(first)
                rest = rest.dropFirst()
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

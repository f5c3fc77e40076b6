import Glibc
import Spark

/// What `spark doctor` says about the data directory. Pure: facts come in, rows go out.
enum DataChecks {
    private static let leastBytes = 128 << 20
    private static let fewBytes = 1 << 30

    /// The space of the disk, in bytes, and the numbers of inodes; 0 inodes where the file system has no such number.
    struct Space {
        var free: Int
        var total: Int
        var freeInodes: Int
        var inodes: Int
    }

    /// An entry of the data directory.
    struct Entry: Equatable {
        /// Relative to the data directory; `.` for itself.
        let path: String
        let mode: mode_t
        let owner: uid_t
    }

    /// File systems over a network: SQLite's shared memory does not work between machines, and locks may be lost.
    private static let remote: Set<String> = [
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "gpfs", "ocfs2", "gfs2", "fuse.sshfs",
        "fuse.glusterfs", "fuse.s3fs", "fuse.rclone", "fuse.ceph", "fuse.davfs", "davfs", "virtiofs", "vboxsf",
        "fuse.vmhgfs-fuse",
    ]

    static func fileSystem(_ mount: MountTable.Mount?) -> DoctorRow {
        let check = "file system"
        guard let mount else { return .ok(check, "unknown") }
        let finding = "\(mount.type) at \(mount.folder)"
        if mount.isReadOnly {
            return .fault(check, "\(finding), which is read-only", "mount it for writing, or look for a disk error")
        }
        if remote.contains(mount.type) {
            return .fault(
                check, "\(finding), which is shared with other machines",
                "move the data to a disk of this machine: there, the database can be damaged (https://sqlite.org/wal.html)")
        }
        switch mount.type {
        case "tmpfs", "ramfs":
            return .warning(
                check, "\(finding): the data is in memory", "move it to a disk; here it is gone after a restart of the machine")
        case "overlay", "aufs", "fuse-overlayfs":
            return .warning(
                check, "\(finding): the data is in a layer of a container",
                "mount a volume there; here it is gone with the container, and writes are slower")
        case "vfat", "exfat", "msdos", "ntfs", "ntfs3", "fuseblk":
            return .warning(
                check, "\(finding), which keeps no rights of files", "use ext4, xfs or btrfs: here every user can read the keys")
        default:
            if mount.type.hasPrefix("fuse") {
                return .warning(
                    check, "\(finding), a file system in a program", "make sure that it keeps locks and shared memory")
            }
            return .ok(check, finding)
        }
    }

    /// - Parameter database: the size of the database with its log, in bytes; 0 if there is none.
    static func space(_ space: Space, database: Int) -> [DoctorRow] {
        let finding = "\(space.free >> 20) MiB of \(space.total >> 20) MiB are free; the database has \(database >> 20) MiB"
        var rows: [DoctorRow] = []
        let check = "disk space"
        if space.free < leastBytes {
            rows.append(.fault(check, finding, "free some space now: a full disk stops all writes"))
        } else if space.free < database {
            rows.append(
                .warning(check, finding, "make room for a second database: a new version copies it before it changes it"))
        } else if space.free < fewBytes || space.free < space.total / 20 {
            rows.append(.warning(check, finding, "free some space: a full disk stops all writes"))
        } else {
            rows.append(.ok(check, finding))
        }
        if space.inodes > 0 {
            let finding = "\(space.freeInodes) of \(space.inodes) are free"
            switch space.freeInodes {
            case ..<64: rows.append(.fault("inodes", finding, "delete files that nobody needs: no further file can be made"))
            case ..<(space.inodes / 50): rows.append(.warning("inodes", finding, "delete files that nobody needs"))
            default: rows.append(.ok("inodes", finding))
            }
        }
        return rows
    }

    /// - Parameters:
    ///   - entries: the directory itself first.
    ///   - user: who runs this program.
    ///   - name: the name of a user.
    static func rights(_ entries: [Entry], directory: String, user: uid_t, name: (uid_t) -> String) -> DoctorRow {
        let check = "rights"
        guard let own = entries.first else { return .ok(check, "nothing is there yet") }
        let owner = name(own.owner)
        if user != 0, user != own.owner {
            return .fault(
                check, "the directory belongs to \(owner), and you are \(name(user))",
                own.owner == 0 ? "run spark as root" : "run spark as \(owner), or as root")
        }
        if let stranger = entries.first(where: { $0.owner != own.owner }) {
            return .fault(
                check, "\(stranger.path) belongs to \(name(stranger.owner)), not to \(owner)",
                "stop the server, then: chown -R \(owner): \(directory)")
        }
        let open = entries.filter { $0.mode & 0o077 != 0 }
        if let key = open.first(where: { $0.path.hasPrefix("keys/") }) {
            return .fault(
                check, "others may read \(key.path)", "chmod 600 \(directory)/\(key.path), and consider the key known to others")
        }
        if let first = open.first {
            return .warning(
                check, "others may use \(first.path == "." ? "the directory" : first.path)",
                "chmod -R go= \(directory); the server does this when it starts, if the directory holds nothing else")
        }
        return .ok(check, "only \(owner) may use the directory")
    }
}

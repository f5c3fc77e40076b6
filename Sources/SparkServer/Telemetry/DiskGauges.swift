import CDispatch
import Foundation
import Glibc
import Metrics
import SparkKit
import SparkStorage

/// Metrics of the data directory's disk and of its newest backup.
struct DiskGauges: Sendable {
    static let declarations = [
        MetricDeclaration(freeName, .gauge, help: "Bytes of the data directory's disk that the server may still use."),
        MetricDeclaration(sizeName, .gauge, help: "Size of the data directory's disk, in bytes."),
        MetricDeclaration(
            backupName, .gauge,
            help: "When the newest backup was made, in seconds since 1970; copies made before migrations do not count."),
    ]

    private static let freeName = "spark_disk_free_bytes"
    private static let sizeName = "spark_disk_size_bytes"
    private static let backupName = "spark_backup_last_success_timestamp_seconds"

    private let directory: DataDirectory
    private let free = Gauge(label: freeName)
    private let size = Gauge(label: sizeName)
    private let backup = Gauge(label: backupName)

    init(directory: DataDirectory) { self.directory = directory }

    func record() {
        var disk = statvfs()
        if statvfs(directory.url.path, &disk) == 0 {
            free.record(Double(disk.f_bavail) * Double(disk.f_frsize))
            size.record(Double(disk.f_blocks) * Double(disk.f_frsize))
        }
        // Not a number while there is no backup.
        backup.record(newestBackup ?? .nan)
    }

    private var newestBackup: Double? {
        let files = try? FileManager.default.contentsOfDirectory(
            at: directory.backups, includingPropertiesForKeys: [.contentModificationDateKey])
        return files?.filter { !MigrationCopies.isCopy($0.lastPathComponent) }.compactMap { file in
            (try? file.resourceValues(forKeys: [.contentModificationDateKey]))?.contentModificationDate?.timeIntervalSince1970
        }.max()
    }
}

/// The size of a file in bytes; nil when there is none.
enum FileSize {
    static func of(_ path: String) -> Int? {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : nil
    }
}

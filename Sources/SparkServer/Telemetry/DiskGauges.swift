import CDispatch
import Foundation
import Glibc
import Metrics
import SparkKit

/// Metrics of the data directory's disk.
struct DiskGauges: Sendable {
    static let declarations = [
        MetricDeclaration(freeName, .gauge, help: "Bytes of the data directory's disk that the server may still use."),
        MetricDeclaration(sizeName, .gauge, help: "Size of the data directory's disk, in bytes."),
    ]

    private static let freeName = "spark_disk_free_bytes"
    private static let sizeName = "spark_disk_size_bytes"

    private let directory: DataDirectory
    private let free = Gauge(label: freeName)
    private let size = Gauge(label: sizeName)

    init(directory: DataDirectory) { self.directory = directory }

    func record() {
        var disk = statvfs()
        if statvfs(directory.url.path, &disk) == 0 {
            free.record(Double(disk.f_bavail) * Double(disk.f_frsize))
            size.record(Double(disk.f_blocks) * Double(disk.f_frsize))
        }
    }
}

/// The size of a file in bytes; nil when there is none.
enum FileSize {
    static func of(_ path: String) -> Int? {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : nil
    }
}

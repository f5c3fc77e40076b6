import CDispatch
import Foundation
import Glibc
import Metrics
import SparkCore
import SparkKit
import SparkTelemetry
import Synchronization

/// The process's metrics, under the names that every Prometheus client uses.
final class ProcessReadings: Sendable {
    static let declarations = [
        MetricDeclaration(cpuName, .counter, help: "Processor time that the process used, user and system, in seconds."),
        MetricDeclaration(memoryName, .gauge, help: "Memory of the process that is in RAM, in bytes."),
        MetricDeclaration(openName, .gauge, help: "File descriptors that are open."),
        MetricDeclaration(maximumName, .gauge, help: "File descriptors that may be open."),
        MetricDeclaration(startName, .gauge, help: "When the process started, in seconds since 1970."),
        MetricDeclaration(buildName, .gauge, labels: ["version"], help: "1, with the version as label."),
    ]

    private static let cpuName = "process_cpu_seconds_total"
    private static let memoryName = "process_resident_memory_bytes"
    private static let openName = "process_open_fds"
    private static let maximumName = "process_max_fds"
    private static let startName = "process_start_time_seconds"
    private static let buildName = "spark_build_info"
    /// Kept per process: two servers in one process must not count the same CPU time twice.
    private static let countedCPU = Mutex(0.0)

    private let cpu = FloatingPointCounter(label: cpuName)
    private let memory = Gauge(label: memoryName)
    private let openFiles = Gauge(label: openName)
    private let maximumFiles = Gauge(label: maximumName)

    init() {
        Gauge(label: Self.buildName, dimensions: [("version", SparkVersion.text)]).record(1)
        // The system answers in a microsecond, and a rate over a few seconds needs the value of this moment.
        MetricsRegistry.shared.beforeReading("cpu") { [cpu] in Self.record(cpu) }
        if let start = Self.startTime() { Gauge(label: Self.startName).record(start) }
    }

    func record() {
        if let pages = Self.words(of: "/proc/self/statm").dropFirst().first.flatMap({ Int($0) }) {
            memory.record(pages * Int(sysconf(Int32(_SC_PAGESIZE))))
        }
        if let files = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            // One of them is the directory being read.
            openFiles.record(max(0, files.count - 1))
        }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            maximumFiles.record(Double(limit.rlim_cur))
        }
    }

    private static func record(_ cpu: FloatingPointCounter) {
        var usage = rusage()
        guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return }
        let seconds = [usage.ru_utime, usage.ru_stime].reduce(0.0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
        countedCPU.withLock { counted in
            guard seconds > counted else { return }
            cpu.increment(by: seconds - counted)
            counted = seconds
        }
    }

    /// From proc(5): field 22 of `stat` is the start in clock ticks since the boot; `/proc/stat` has the boot time.
    private static func startTime() -> Double? {
        guard let stat = try? String(contentsOfFile: "/proc/self/stat", encoding: .utf8),
            let end = stat.lastIndex(of: ")"),
            let boot = try? String(contentsOfFile: "/proc/stat", encoding: .utf8),
            let bootLine = boot.split(separator: "\n").first(where: { $0.hasPrefix("btime ") }),
            let bootTime = Double(bootLine.dropFirst(6))
        else { return nil }
        // The text after the name in parentheses begins with field 3.
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 19, let ticks = Double(fields[19]) else { return nil }
        return bootTime + ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    private static func words(of path: String) -> [Substring] {
        (try? String(contentsOfFile: path, encoding: .utf8))?.split(separator: " ").map { $0 } ?? []
    }
}

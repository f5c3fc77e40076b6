import Spark
import SparkKit

/// What `spark doctor` says about the machine. Pure: facts come in, rows go out.
enum MachineChecks {
    /// Fewer descriptors than this leave hardly any connections.
    private static let fewDescriptors = 4_096
    private static let leastMemory = 512 << 20
    /// The queue of waiting connections that the server asks for.
    private static let backlog = 4_096
    /// File times may be ahead of the clock by as much as clocks are usually corrected, in seconds.
    private static let slack: Int64 = 120
    /// 2025-01-01, before this program was made, in seconds since 1970.
    private static let earliest: Int64 = 1_735_689_600

    /// - Parameters:
    ///   - running: the limit of the running server; nil if none runs or its limit cannot be read.
    ///   - connections: the connections that this machine and the settings allow.
    static func descriptors(_ limit: Int, running: Int?, connections: Int) -> DoctorRow {
        let check = "file descriptors"
        let count = running ?? limit
        let finding = "\(count) \(running == nil ? "for this user" : "for the running server"), for \(connections) connections"
        guard count < fewDescriptors else { return .ok(check, finding) }
        return .warning(check, finding, "raise the limit: LimitNOFILE=1048576 in the unit, or ulimit -n 65536 in the shell")
    }

    /// - Parameters:
    ///   - machine: all memory of the machine, in bytes.
    ///   - group: the limit of the control group, in bytes, or all memory.
    ///   - available: what is free or can be freed, in bytes.
    static func memory(machine: Int, group: Int, available: Int) -> DoctorRow {
        let check = "memory"
        let limited = group < machine ? ", limited to \(mebibytes(group)) by the control group" : ""
        let finding = "\(mebibytes(machine))\(limited), \(mebibytes(available)) available"
        if group < leastMemory {
            return .warning(
                check, finding,
                "Spark works with less than 512 MiB only for few people; add memory, or raise MemoryMax= of the unit or container"
            )
        }
        guard available < machine / 20 else { return .ok(check, finding) }
        return .warning(check, finding, "other programs use nearly all memory; stop some, or lower cache.memory_mb")
    }

    /// - Parameter mode: vm.overcommit_memory; nil if unknown.
    static func overcommit(_ mode: Int?) -> DoctorRow? {
        let check = "memory reservations"
        guard let mode else { return nil }
        guard mode == 2 else { return .ok(check, "the kernel grants reservations (vm.overcommit_memory = \(mode))") }
        return .warning(
            check, "the kernel refuses reservations beyond its own estimate (vm.overcommit_memory = 2)",
            "set sysctl vm.overcommit_memory=0, or raise vm.overcommit_ratio; otherwise allocations can fail while memory is free"
        )
    }

    /// - Parameter length: net.core.somaxconn; nil if unknown.
    static func queue(_ length: Int?) -> DoctorRow? {
        let check = "queue of connections"
        guard let length else { return nil }
        guard length < backlog else { return .ok(check, "\(length) may wait (net.core.somaxconn)") }
        return .warning(
            check, "only \(length) connections may wait to be accepted (net.core.somaxconn)",
            "set sysctl net.core.somaxconn=\(backlog); otherwise a burst of connections, or a restart, loses some")
    }

    /// - Parameters:
    ///   - now: in seconds since 1970.
    ///   - isSynchronised: nil if the kernel does not say.
    ///   - newest: when the data was written last, in seconds since 1970; nil without data.
    static func clock(now: Int64, isSynchronised: Bool?, newest: Int64?) -> DoctorRow {
        let check = "clock"
        let correct = "correct it (timedatectl set-ntp true, or install chrony), then start Spark"
        guard now >= earliest else { return .fault(check, "it is set to a day before this version was made", correct) }
        if let newest, newest > now + slack {
            return .fault(
                check, "it is \(newest - now) seconds behind the newest file of the data directory",
                "\(correct); \(Handbook.page("clock.md")) says what a wrong clock did")
        }
        switch isSynchronised {
        case true?: return .ok(check, "a time service keeps it right")
        case nil: return .ok(check, "plausible; the kernel does not say whether a time service keeps it right")
        case false?:
            return .warning(
                check, "plausible, but no time service keeps it right",
                "turn one on (timedatectl set-ntp true, or install chrony); in a container, on the host")
        }
    }

    private static func mebibytes(_ bytes: Int) -> String { "\(bytes >> 20) MiB" }
}

import CDispatch
import CLZ4
import CZlib
import Foundation
import Glibc
import Spark
import SparkClient
import SparkFiles
import SparkHTTP
import SparkServer
import SparkStorage

/// Examines a machine and a data directory, beside a running server or without one. Changes nothing.
struct Doctor {
    /// The longest wait for the server's answer.
    private static let patience = Duration.seconds(3)
    /// So many entries of the data directory are looked at.
    private static let mostEntries = 10_000
    private static let leastSQLite = "3.40.0"

    let common: CommonOptions

    func rows() async -> [DoctorRow] {
        var rows: [DoctorRow] = []
        let configuration = self.configuration(&rows)
        let process: ServerConfiguration = configuration.section("server")
        let directory = Self.absolute(process.dataDirectory)
        let running = await RunningServer.find(common, patience: Self.patience)
        rows.append(running.row(directory))
        rows += machine(configuration, directory, running)
        rows += data(directory)
        rows += await network(configuration, running, publicURL: process.publicURL)
        rows += await backups(configuration, directory, running)
        rows += [unit(configuration, directory, running), libraries].compactMap(\.self)
        return rows
    }

    // MARK: Configuration

    /// What does not fit is a row; the rest of the examination then looks at the defaults.
    private func configuration(_ rows: inout [DoctorRow]) -> LoadedConfiguration {
        let check = "configuration"
        let place = common.configurationFile().map { NamedFile.absolute($0) } ?? "no file"
        do {
            let configuration = try common.load()
            let notes = configuration.notes(in: CommonOptions.surroundings())
            rows += notes.map { .warning(check, $0, "see \(Handbook.page("configuration.md"))") }
            if notes.isEmpty {
                rows.append(.ok(check, "\(place), \(Terminal.count(configuration.origins.count, "setting")) set"))
            }
            return configuration
        } catch let error as ConfigurationError {
            rows += error.faults.map {
                .fault(check, String($0.prefix { $0 != "\n" }), "correct it; spark config check shows the rest")
            }
        } catch {
            rows.append(.fault(check, "\(error)", "name another file with --config"))
        }
        if let loose = try? common.load(isForRunning: true) { return loose }
        return LoadedConfiguration(defaultsOf: ConfigurationSchema(modules: sparkModules), data: common.data)
    }

    // MARK: Machine

    private func machine(_ configuration: LoadedConfiguration, _ directory: String, _ running: RunningServer) -> [DoctorRow] {
        let machine = CommonOptions.surroundings().machine
        let plan = AdmissionPlan(configuration, machine: machine, isEphemeral: false)
        let connections = plan.rows.first { $0.resource == .connections && $0.scope == .total }?.value ?? 0
        let physical = Int(clamping: ProcessInfo.processInfo.physicalMemory)
        return [
            MachineChecks.descriptors(machine.descriptors, running: running.descriptors, connections: connections),
            MachineChecks.memory(
                machine: physical, group: machine.memoryBytes, available: Self.availableMemory ?? physical),
            MachineChecks.overcommit(Self.number(in: "/proc/sys/vm/overcommit_memory")),
            MachineChecks.queue(Self.number(in: "/proc/sys/net/core/somaxconn")),
            MachineChecks.clock(
                now: FileStatus.kernelTime / 1_000_000_000, isSynchronised: MachineClock.isSynchronised,
                newest: Self.newest(in: directory)),
        ]
        .compactMap(\.self)
    }

    private static func number(in path: String) -> Int? {
        text(path).flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }

    private static func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

    /// MemAvailable of /proc/meminfo, in bytes.
    private static var availableMemory: Int? {
        let line = text("/proc/meminfo")?.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
        return line.flatMap { Int($0.split(separator: " ").dropFirst().first ?? "") }.map { $0 << 10 }
    }

    /// When a file of the directory was written last, in seconds since 1970.
    private static func newest(in directory: String) -> Int64? {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.prefix(mostEntries).compactMap { FileStatus(path: "\(directory)/\($0)")?.modified }.max().map {
            $0 / 1_000_000_000
        }
    }

    // MARK: Data

    private func data(_ directory: String) -> [DoctorRow] {
        let place = Self.existing(directory)
        var rows = [existence(directory)]
        rows.append(DataChecks.fileSystem(MountTable(Self.text("/proc/self/mountinfo") ?? "").mount(of: Self.resolved(place))))
        var disk = statvfs()
        if statvfs(place, &disk) == 0 {
            let unit = Int(clamping: disk.f_frsize)
            let space = DataChecks.Space(
                free: Int(clamping: disk.f_bavail).multipliedReportingOverflow(by: unit).partialValue,
                total: Int(clamping: disk.f_blocks).multipliedReportingOverflow(by: unit).partialValue,
                freeInodes: Int(clamping: disk.f_favail), inodes: Int(clamping: disk.f_files))
            rows += DataChecks.space(space, database: Self.databaseBytes(directory))
        }
        rows.append(
            DataChecks.rights(Self.entries(of: directory), directory: directory, user: geteuid(), name: Self.name))
        return rows
    }

    private func existence(_ directory: String) -> DoctorRow {
        let (check, more) = ("data directory", "\(Handbook.page("data-directory.md")) says more")
        var status = stat()
        guard stat(directory, &status) == 0 else {
            guard errno == ENOENT else {
                return .fault(check, "\(directory): \(String(cString: strerror(errno)))", "run spark as its owner, or as root")
            }
            let parent = Self.existing(directory)
            guard access(parent, W_OK | X_OK) == 0 else {
                return .fault(
                    check, "\(directory) does not exist, and this user may not make it", "make it for the server's user, mode 700"
                )
            }
            return .ok(check, "\(directory) does not exist yet; the first start makes it")
        }
        do {
            let look = try DataDirectory(inspecting: directory)
            defer { look.release() }
            if let loss = try look.findDatabase() { return .fault(check, loss, more) }
            if look.lacksKey {
                return .fault(
                    check, "\(directory)/keys/server.key is gone or not whole",
                    "restore it from a backup, or start spark serve --new-key once: everybody must then sign in again; \(more)")
            }
            return .ok(check, "\(directory) has a database; spark check examines it")
        } catch let error as StorageOpenError {
            let isEmpty = Self.entries(of: directory).count < 2
            if isEmpty, status.st_mode & S_IFMT == S_IFDIR { return .ok(check, "\(directory) is empty") }
            return .warning(check, "\(error)", more)
        } catch {
            return .fault(check, "\(directory): \(type(of: error))", more)
        }
    }

    private static func databaseBytes(_ directory: String) -> Int {
        ["spark.db", "spark.db-wal"].reduce(0) { $0 + Int(FileStatus(path: "\(directory)/\($1)")?.bytes ?? 0) }
    }

    /// The directory and what is in it, three levels deep. Links are not followed.
    private static func entries(of directory: String) -> [DataChecks.Entry] {
        var entries: [DataChecks.Entry] = []
        func look(_ path: String, _ depth: Int) {
            var status = stat()
            let whole = path == "." ? directory : "\(directory)/\(path)"
            guard entries.count < mostEntries, lstat(whole, &status) == 0 else { return }
            let isLink = status.st_mode & S_IFMT == S_IFLNK
            // The rights of a link, and of a lost+found of the file system, say nothing.
            if !isLink, path != "lost+found" {
                entries.append(DataChecks.Entry(path: path, mode: status.st_mode, owner: status.st_uid))
            }
            guard status.st_mode & S_IFMT == S_IFDIR, depth > 0, path != "lost+found" else { return }
            for name in ((try? FileManager.default.contentsOfDirectory(atPath: whole)) ?? []).sorted() {
                look(path == "." ? name : "\(path)/\(name)", depth - 1)
            }
        }
        look(".", 3)
        return entries
    }

    private static func name(of user: uid_t) -> String {
        getpwuid(user).map { String(cString: $0.pointee.pw_name) } ?? "user \(user)"
    }

    private static func absolute(_ path: String) -> String {
        var path = URL(filePath: path, directoryHint: .isDirectory).absoluteURL.standardizedFileURL.path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }

    /// The path, or the nearest folder above that exists.
    private static func existing(_ path: String) -> String {
        var path = path
        var status = stat()
        while path != "/", stat(path, &status) != 0 { path = URL(filePath: path).deletingLastPathComponent().path }
        return path
    }

    private static func resolved(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    // MARK: Network

    private func network(_ configuration: LoadedConfiguration, _ running: RunningServer, publicURL: String) async -> [DoctorRow] {
        let edge: EdgeConfiguration = configuration.section("http")
        let operators: OperatorConfiguration = configuration.section("operator")
        var rows: [DoctorRow] = []
        for (key, text, url) in [
            ("http.listen", edge.listen, running.url), ("operator.listen", operators.listen, running.operatorURL),
        ] {
            guard let address = ListenAddress(text) else { continue }
            if let url, let place = RunningServer.address(of: url) {
                rows.append(NetworkChecks.port(key, place, .ours))
            } else if address.port != 0, running.url == nil {
                rows.append(NetworkChecks.port(key, address, PortProbe.state(of: address)))
            }
        }
        let certificate = Self.file(configuration, "certificate_file")
        let key = Self.file(configuration, "key_file")
        let host = (URL(string: publicURL)?.host() ?? "").trimmingCharacters(in: ["[", "]"])
        let tls = CertificateCheck.row(
            certificate: certificate, key: key, now: FileStatus.kernelTime / 1_000_000_000, host: host)
        let addresses = host.isEmpty ? nil : await HostLookup.addresses(of: host)
        rows += [NetworkChecks.name(publicURL, host: host, addresses: addresses), tls].compactMap(\.self)
        if let listen = ListenAddress(edge.listen) {
            var proxies: [String] = []
            if case .list(let items)? = configuration.value("http", "trusted_proxies") { proxies = items }
            rows += NetworkChecks.proxy(listen, url: publicURL, hasTLS: tls != nil, proxies: proxies)
        }
        return rows
    }

    private static func file(_ configuration: LoadedConfiguration, _ key: String) -> String {
        if case .text(let path)? = configuration.value("tls", key) { path } else { "" }
    }

    // MARK: Backups and libraries

    private func backups(
        _ configuration: LoadedConfiguration, _ directory: String, _ running: RunningServer
    ) async -> [DoctorRow] {
        let schema = ConfigurationSchema(modules: sparkModules)
        guard schema.sections.contains(where: { $0.name == "backup" }) else { return [] }
        let backup: BackupConfiguration = configuration.section("backup")
        let checks = BackupChecks(
            backup: backup, directory: URL(filePath: directory, directoryHint: .isDirectory), now: SystemWallClock().now())
        return await checks.rows(archive: running.note(of: "archive", patience: Self.patience))
    }

    /// Whether systemd lets the server write to the place of the backups.
    private func unit(_ configuration: LoadedConfiguration, _ directory: String, _ running: RunningServer) -> DoctorRow? {
        let backup: BackupConfiguration = configuration.section("backup")
        guard let folder = backup.folder else { return nil }
        let place = Self.absolute(folder)
        guard place != directory, !place.hasPrefix("\(directory)/") else { return nil }
        return UnitChecks.place(
            Self.resolved(Self.existing(place)), shown: place, mounts: running.mounts, unit: SystemdUnitFiles.installed())
    }

    private var libraries: DoctorRow {
        let check = "libraries"
        let (sqlite, spatiaLite) = (StorageLibraries.sqlite, StorageLibraries.spatiaLite)
        let finding =
            "SQLite \(sqlite), SpatiaLite \(spatiaLite), lz4 \(String(cString: LZ4_versionString())), "
            + "zlib \(String(cString: zlibVersion()))"
        guard sqlite.compare(Self.leastSQLite, options: .numeric) != .orderedAscending else {
            return .warning(check, finding, "Spark is tested with SQLite \(Self.leastSQLite) and later: upgrade libsqlite3-0")
        }
        return .ok(check, finding)
    }
}

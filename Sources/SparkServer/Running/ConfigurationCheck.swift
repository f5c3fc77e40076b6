import CDispatch
import Foundation
import Glibc
import SparkBackup
import SparkCore
import SparkFiles
import SparkHTTP
public import SparkKit

/// What a configuration is judged against besides itself.
public struct ConfigurationSurroundings: Sendable {
    /// The machine on which the server runs.
    public let machine: AdmissionMachine
    /// Whether the server keeps nothing.
    public let isEphemeral: Bool

    /// The surroundings of a server.
    public init(machine: AdmissionMachine, isEphemeral: Bool = false) {
        self.machine = machine
        self.isEphemeral = isEphemeral
    }
}

/// Everything about a configuration that can be judged without opening the data or a socket.
struct ConfigurationCheck {
    let configuration: LoadedConfiguration
    let schema: ConfigurationSchema

    /// What is wrong between values that are valid by themselves.
    var faults: [SettingFault] { sectionFaults(\.faults) + moduleFaults + listenerFaults + redirectFaults }

    /// What does not fit the machine, and what is wrong with the files that settings name. Reads small files.
    func faults(in surroundings: ConfigurationSurroundings) -> [SettingFault] {
        let machine = surroundings.machine
        let files = fileFaults
        // A file of the wrong kind is reported once and not read.
        let contents = sectionFaults(\.faultsOfFiles).filter { fault in
            !files.contains { !Set($0.keys).isDisjoint(with: fault.keys) }
        }
        return AdmissionPlan(configuration, machine: machine, isEphemeral: surroundings.isEphemeral).conflicts
            + cacheFaults(machine) + files + contents + backupFaults
    }

    /// What may surprise an operator later.
    func notes(in surroundings: ConfigurationSurroundings) -> [String] {
        missingFiles
            + [keyNote, bucketKeyNote, drillKeyNote, memoryNote(surroundings), surroundings.isEphemeral ? nil : diskNote]
            .compactMap(\.self)
    }

    private func sectionFaults(
        _ faults: KeyPath<ConfigurationSchema.Section, @Sendable (SettingValues) -> [SettingFault]>
    ) -> [SettingFault] {
        runningSections.flatMap { section in
            section[keyPath: faults](configuration.values(section)).map { fault in
                SettingFault(
                    keys: fault.keys.map { $0.contains(".") ? $0 : "\(section.name).\($0)" },
                    reason: GivenValue.line(fault.reason), lines: fault.lines.map { GivenValue.line($0) })
            }
        }
    }

    /// The sections without those of modules that are left out.
    private var runningSections: [ConfigurationSchema.Section] { schema.sections.filter { !disabled.contains($0.name) } }

    private var disabled: Set<String> { configuration.section("modules", as: ModulesConfiguration.self).disabled }

    private var moduleFaults: [SettingFault] {
        let names = schema.manifests.map(\.id)
        let unknown = disabled.subtracting(names).sorted().map { name in
            let hint =
                NearestName.of(name, in: names).map { "did you mean \($0)?" }
                ?? "the modules are \(names.joined(separator: ", "))"
            return SettingFault("modules.disabled", reason: "there is no module \(GivenValue.quoted(name)); \(hint)")
        }
        let needed = names.filter(disabled.contains).compactMap { name -> SettingFault? in
            let users = schema.manifests.filter { !disabled.contains($0.id) && $0.dependencies.contains(name) }.map(\.id)
            guard !users.isEmpty else { return nil }
            return SettingFault(
                "modules.disabled",
                reason: "\(name) is needed by \(users.joined(separator: ", ")); leave it in, or leave those out as well")
        }
        return unknown + needed
    }

    private var listenerFaults: [SettingFault] {
        let operators: OperatorConfiguration = configuration.section("operator")
        let edge: EdgeConfiguration = configuration.section("http")
        guard let address = ListenAddress(operators.listen) else { return [] }
        var faults: [SettingFault] = []
        let isOpen = address.host != "localhost" && !OperatorAccess.isLoopback(address: address.host)
        if isOpen, configuration.text("metrics", "token")?.isEmpty != false {
            faults.append(
                SettingFault(
                    "operator.listen", "metrics.token",
                    reason: "\(address.host) can be reached from other machines; set metrics.token, or listen on 127.0.0.1"))
        }
        // An address that is not set gives way to the public one.
        if configuration.origins["operator.listen"] != nil, let open = ListenAddress(edge.listen), open.collides(with: address) {
            faults.append(
                SettingFault(
                    "operator.listen", "http.listen",
                    reason:
                        "operator.listen is \(address.text) and http.listen is \(open.text); both cannot listen there, so choose "
                        + "another port, 0 for one that the system picks, or nothing for no listener of operators"))
        }
        return faults
    }

    private var redirectFaults: [SettingFault] {
        let tls: TLSSettings = configuration.section("tls")
        let edge: EdgeConfiguration = configuration.section("http")
        let operators: OperatorConfiguration = configuration.section("operator")
        guard let address = tls.redirectAddress else { return [] }
        return [("http.listen", edge.listen), ("operator.listen", operators.listen)].compactMap { key, other in
            guard let other = ListenAddress(other), other.collides(with: address) else { return nil }
            return SettingFault(
                "tls.redirect_listen", key,
                reason: "tls.redirect_listen is \(address.text) and \(key) is \(other.text); both cannot listen there, so choose "
                    + "another port")
        }
    }

    /// Whether every user of the machine can read the certificate's key.
    private var keyNote: String? {
        let tls: TLSSettings = configuration.section("tls")
        var status = stat()
        guard tls.isOn, stat(tls.keyFile, &status) == 0, status.st_mode & S_IROTH != 0 else { return nil }
        return "tls.key_file: \(GivenValue.file(tls.keyFile)): every user of this machine can read the key; chmod 640 or less"
    }

    /// Whether every user of the machine can read the key to the bucket.
    private var bucketKeyNote: String? {
        let backup: BackupConfiguration = configuration.section("backup")
        var status = stat()
        guard let file = backup.bucket.secretKeyFile, stat(file, &status) == 0, status.st_mode & S_IROTH != 0 else { return nil }
        return
            "backup.s3_secret_key_file: \(GivenValue.file(file)): every user of this machine can read the key; chmod 640 or less"
    }

    /// Whether the key for drills opens what is encrypted for the recipients.
    private var drillKeyNote: String? {
        let backup: BackupConfiguration = configuration.section("backup")
        let path = backup.drillIdentityFile
        guard !path.isEmpty, NamedFile.refusal(of: path, atMost: AgeIdentity.longestFile) == nil else { return nil }
        let name = "backup.drill_identity_file: \(GivenValue.quoted(path))"
        do {
            let own = try AgeIdentity.identities(inFile: path).map { "\($0.recipient)" }
            guard !backup.recipients.isEmpty, Set(own).isDisjoint(with: backup.recipients) else { return nil }
            return
                "\(name): it opens nothing that is encrypted for backup.recipients, so drills are skipped; name the file with the key "
                + "of one of them, or add \(own.first ?? "its recipient") to backup.recipients"
        } catch {
            return "\(name): \(error), so drills of encrypted backups are skipped"
        }
    }

    private func cacheFaults(_ machine: AdmissionMachine) -> [SettingFault] {
        let cache: CacheSettings = configuration.section("cache")
        guard configuration.origins["cache.memory_mb"] != nil, cache.memoryBytes > machine.memoryBytes else { return [] }
        return [
            SettingFault(
                "cache.memory_mb",
                reason: "\(cache.memoryBytes >> 20) MiB are more than the memory that this process may use "
                    + "(\(machine.memoryBytes >> 20) MiB); at most half of that leaves room for everything else")
        ]
    }

    /// A place for backups that would be lost with the data, or whose bucket cannot be used with the settings.
    private var backupFaults: [SettingFault] {
        let backup: BackupConfiguration = configuration.section("backup")
        let process: ServerConfiguration = configuration.section("server")
        // A place in a wrong form is reported by its section.
        guard backup.isOn, (try? BackupStores.check(backup.place)) != nil else { return [] }
        do {
            try BackupJob.refuse(
                place: BackupStores.open(backup.place, bucket: backup.bucket),
                inside: URL(filePath: process.dataDirectory, directoryHint: .isDirectory))
            return []
        } catch {
            return [SettingFault("backup.to", "server.data", reason: "\(error)")]
        }
    }

    /// Whether another memory than the cache's and that of bodies and hashes is left.
    private func memoryNote(_ surroundings: ConfigurationSurroundings) -> String? {
        let cache: CacheSettings = configuration.section("cache")
        let limits = AdmissionPlan(configuration, machine: surroundings.machine, isEphemeral: surroundings.isEphemeral).limits
        let claimed = cache.memoryBytes + (limits[.bodies].total ?? 0) + (limits[.hashing].total ?? 0)
        let memory = surroundings.machine.memoryBytes
        guard claimed > memory / 10 * 9 else { return nil }
        return
            "cache.memory_mb, limits.body_bytes and limits.hashing_bytes may come to \(claimed >> 20) MiB, of \(memory >> 20) MiB of "
            + "memory; when all are in use, little or nothing is left for the database and connections"
    }

    private var diskNote: String? {
        let cache: CacheSettings = configuration.section("cache")
        let process: ServerConfiguration = configuration.section("server")
        guard cache.diskBytes > 0, let free = Self.freeBytes(around: process.dataDirectory) else { return nil }
        let used = Self.bytes(in: process.dataDirectory + "/spill")
        guard cache.diskBytes > free + used else { return nil }
        return "cache.disk_mb is \(cache.diskBytes >> 20) MiB, but only \((free + used) >> 20) MiB are free for it where "
            + "\(GivenValue.quoted(process.dataDirectory)) is; a full disk stops all writes"
    }

    /// The free space of the disk on which a directory is or would be created.
    private static func freeBytes(around path: String) -> Int? {
        var url = URL(filePath: path, directoryHint: .isDirectory).absoluteURL.standardizedFileURL
        while true {
            var disk = statvfs()
            if statvfs(url.path, &disk) == 0 {
                return Int(clamping: UInt64(disk.f_bavail).multipliedReportingOverflow(by: UInt64(disk.f_frsize)).partialValue)
            }
            let above = url.deletingLastPathComponent()
            guard errno == ENOENT || errno == ENOTDIR, above.path != url.path, above.path.utf8.count < url.path.utf8.count else {
                return nil
            }
            url = above
        }
    }

    private static func bytes(in folder: String) -> Int {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.reduce(0) { $0 + Int(FileStatus(path: "\(folder)/\($1)")?.bytes ?? 0) }
    }

    /// The settings that name a file, with what is wrong with it.
    private var refusals: [(key: String, path: String, refusal: NamedFile.Refusal)] {
        runningSections.flatMap { section in
            section.settings.compactMap { setting in
                guard let longest = setting.longestFile, let path = configuration.text(section.name, setting.key), !path.isEmpty,
                    let refusal = NamedFile.refusal(of: path, atMost: longest)
                else { return nil }
                return ("\(section.name).\(setting.key)", path, refusal)
            }
        }
    }

    /// A file that is missing or not readable yet may become so; what is no file, or a huge one, was never meant.
    private var fileFaults: [SettingFault] {
        refusals.compactMap { key, path, refusal in
            switch refusal {
            case .missing, .unreadable: nil
            case .kind, .long: SettingFault(key, reason: "\(GivenValue.file(path)): \(refusal)")
            }
        }
    }

    private var missingFiles: [String] {
        refusals.compactMap { key, path, refusal in
            switch refusal {
            case .missing, .unreadable: "\(key): \(GivenValue.file(path)): \(refusal)"
            case .kind, .long: nil
            }
        }
    }
}

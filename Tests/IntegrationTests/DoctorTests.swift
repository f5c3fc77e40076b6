import Foundation
import Glibc
import SparkCore
import SparkHTTP
import SparkTestSupport
import Testing

@testable import SparkCommand

@Suite("spark doctor")
struct DoctorTests {
    private static func run(_ arguments: [String]) async throws -> (status: Int32, rows: [String: JSONValue], text: String) {
        let answer = try await SparkProcess.run(["doctor", "--json"] + arguments)
        let checks = try JSONParser.parse(Array(answer.output.utf8))["checks"]?.array ?? []
        let rows = Dictionary(checks.map { ($0["check"]?.string ?? "", $0) }, uniquingKeysWith: { first, _ in first })
        return (answer.status, rows, answer.output)
    }

    @Test("finds no fault beside a running server and after it, and makes nothing where no data is")
    func sound() async throws {
        try await withDataDirectory { directory in
            let free = ["--set", "http.listen=0", "--set", "operator.listen=0", "--data", directory]
            let before = try await Self.run(free)
            #expect(before.status == 0, "\(before.text)")
            #expect(before.rows["data directory"]?["finding"]?.string?.contains("does not exist yet") == true)
            #expect(before.rows["server"]?["finding"]?.string == "none runs on this directory")
            #expect(!FileManager.default.fileExists(atPath: directory))
            try await withSpark(["--data", directory]) { spark in
                let beside = try await Self.run(free)
                #expect(beside.status == 0, "\(beside.text)")
                #expect(beside.rows["server"]?["finding"]?.string?.contains(spark.url) == true)
                #expect(beside.rows["port of http.listen"]?["finding"]?.string?.contains("the running server") == true)
                #expect(beside.rows["rights"]?["state"] == "ok" && beside.rows["data directory"]?["state"] == "ok")
            }
            let after = try await Self.run(free)
            #expect(after.status == 0 && after.rows["rights"]?["state"] == "ok", "\(after.text)")
            for check in [
                "configuration", "file descriptors", "memory", "clock", "file system", "disk space", "libraries", "proxy",
            ] {
                #expect(after.rows[check]?["finding"]?.string?.isEmpty == false, "\(check)")
            }
            let text = try await SparkProcess.run(["doctor"] + free)
            #expect(text.status == 0 && text.output.contains("0 faults"), "\(text.output)")
        }
    }

    @Test("names what is wrong, with 1: a key that others may read, a taken port, a lost database, a wrong setting")
    func faults() async throws {
        try await withDataDirectory { directory in
            let spark = try await SparkProcess.serve(["--data", directory])
            #expect(await spark.end(SIGTERM) == 0)
            chmod("\(directory)/keys/server.key", 0o644)
            let key = try await Self.run(["--data", directory, "--set", "http.listen=0"])
            #expect(key.status == 1 && key.rows["rights"]?["finding"]?.string == "others may read keys/server.key", "\(key.text)")
            chmod("\(directory)/keys/server.key", 0o600)
            try await withSpark(["--ephemeral"]) { other in
                let address = String(other.url.dropFirst("http://".count))
                let port = try await Self.run(["--data", directory, "--set", "http.listen=\(address)"])
                #expect(port.status == 1 && port.rows["port of http.listen"]?["state"] == "fault", "\(port.text)")
            }
            let setting = try await Self.run(["--data", directory, "--set", "http.listen=0", "--set", "http.listne=1"])
            #expect(setting.status == 1, "\(setting.text)")
            #expect(setting.rows["configuration"]?["finding"]?.string?.contains("did you mean listen?") == true)
            #expect(setting.rows["data directory"]?["finding"]?.string?.contains(directory) == true)
            try FileManager.default.removeItem(atPath: "\(directory)/spark.db")
            let lost = try await Self.run(["--data", directory, "--set", "http.listen=0"])
            #expect(lost.status == 1 && lost.rows["data directory"]?["state"] == "fault", "\(lost.text)")
        }
    }

    @Test("examines the two files of TLS")
    func certificate() async throws {
        try await withDataDirectory { directory in
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            func make(_ name: String, days: Int) async throws -> Bool {
                try await onOwnThread {
                    let openssl = try ChildProcess(
                        "/usr/bin/openssl",
                        [
                            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
                            "\(days)",
                            "-subj", "/CN=example.org", "-keyout", "\(directory)/\(name).key", "-out", "\(directory)/\(name).pem",
                        ], errors: -1)
                    return openssl.finish().status == 0
                }
            }
            guard FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl") else { return }
            for (name, days) in [("good", 90), ("ending", 3)] { #expect(try await make(name, days: days)) }
            let now = Int64(Date.now.timeIntervalSince1970)
            func row(_ certificate: String, _ key: String, at time: Int64? = nil) -> DoctorRow? {
                CertificateCheck.row(certificate: certificate, key: key, now: time ?? now)
            }
            let (good, ending) = ("\(directory)/good", "\(directory)/ending")
            #expect(row("", "") == nil)
            #expect(row(good + ".pem", good + ".key")?.state == .ok)
            #expect(row(ending + ".pem", ending + ".key")?.state == .warning)
            #expect(row(good + ".pem", good + ".key", at: now + 91 * 86_400)?.finding == "the certificate has expired")
            #expect(row(good + ".pem", good + ".key", at: now - 86_400)?.finding == "the certificate is not valid yet")
            #expect(row(good + ".pem", ending + ".key")?.finding == "the key does not belong to the certificate")
            #expect(row(good + ".key", good + ".key")?.state == .fault && row(good + ".pem", good + ".pem")?.state == .fault)
            #expect(row(good + ".none", good + ".key")?.finding.contains("No such file") == true)
            #expect(row(good + ".pem", "")?.state == .fault)
            #expect(row(good + ".pem", good + ".key", at: now + 89 * 86_400 + 600)?.finding.contains("23 more hours") == true)
        }
    }

    @Test("says whether the certificate is for the name that people use")
    func names() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "spark-names-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try TestAuthority().pair().write(to: folder)
        let now = Int64(Date.now.timeIntervalSince1970)
        func row(_ host: String) -> DoctorRow? {
            CertificateCheck.row(certificate: "\(folder)/certificate.pem", key: "\(folder)/key.pem", now: now, host: host)
        }
        for host in ["", "localhost", "LOCALHOST", "127.0.0.1"] { #expect(row(host)?.state == .ok, "\(host)") }
        for host in ["spark.example.org", "127.0.0.2", "::1", "a.localhost"] { #expect(row(host)?.state == .fault, "\(host)") }
        #expect(row("spark.example.org")?.finding.contains("for localhost, not for spark.example.org") == true)
    }

    @Test("finds no fault beside a server that speaks HTTPS")
    func secureServer() async throws {
        try await TLSScene.run { scene in
            let data = ["--data", "\(scene.folder)/data"] + TLSScene.settings(scene.folder)
            let beside = try await Self.run(data + ["--set", "http.listen=127.0.0.1:\(scene.port)"])
            #expect(beside.status == 0, "\(beside.text)")
            #expect(beside.rows["server"]?["finding"]?.string?.contains(scene.spark.url) == true)
            #expect(beside.rows["port of http.listen"]?["finding"]?.string?.contains("the running server") == true)
            let support = try await SparkProcess.run(["health"] + data)
            #expect(support.status == 0, "\(support.errors)")
        }
    }

    @Test("a lost key of the server is a fault, and how to go on is said")
    func lostKey() async throws {
        try await withDataDirectory { directory in
            try await withSpark(["--data", directory]) { _ in }
            try FileManager.default.removeItem(atPath: "\(directory)/keys/server.key")
            let lost = try await Self.run(["--data", directory, "--set", "http.listen=0"])
            let row = lost.rows["data directory"]
            #expect(lost.status == 1 && row?["state"] == "fault", "\(lost.text)")
            #expect(row?["advice"]?.string?.contains("--new-key") == true, "\(lost.text)")
        }
    }

    @Test("judges whether systemd lets the server write to the place of the backups")
    func unit() {
        let unit = ["[Service]\nProtectSystem=strict\nStateDirectory=spark\n"]
        let other = ["[Service]\nReadWritePaths=-/mnt/backups \"-/mnt/two words\"\n"]
        func state(_ texts: [String], _ place: String) -> DoctorRow.State? {
            UnitChecks.place(place, shown: place, mounts: nil, unit: SystemdUnitFiles(texts))?.state
        }
        #expect(state(unit, "/mnt/backups") == .fault && state(unit, "/var/lib/spark/x") == .ok)
        for place in ["/mnt/backups", "/mnt/backups/one", "/mnt/two words"] {
            #expect(state(unit + other, place) == .ok, "\(place)")
        }
        #expect(state(unit + other, "/mnt/backups2") == .fault)
        #expect(state(unit + other + ["[Service]\nReadWritePaths=\n"], "/mnt/backups") == .fault)
        #expect(state(["[Service]\nProtectSystem=full\n"], "/mnt/backups") == nil)
        #expect(UnitChecks.place("/mnt", shown: "/mnt", mounts: nil, unit: nil) == nil)
        let mounts = MountTable("22 1 8:1 / / ro - ext4 /dev/sda1 rw\n23 22 8:1 /v /var/lib/spark rw - ext4 /dev/sda1 rw")
        #expect(UnitChecks.place("/mnt/backups", shown: "/mnt/backups", mounts: mounts, unit: nil)?.state == .fault)
        #expect(UnitChecks.place("/var/lib/spark/x", shown: "/x", mounts: mounts, unit: nil)?.state == .ok)
    }

    @Test("judges machines")
    func machines() {
        #expect(MachineChecks.descriptors(1_048_576, running: nil, connections: 9).state == .ok)
        #expect(MachineChecks.descriptors(1_048_576, running: 1_024, connections: 9).state == .warning)
        let gib = 1 << 30
        #expect(MachineChecks.memory(machine: 8 * gib, group: 8 * gib, available: 4 * gib).state == .ok)
        #expect(MachineChecks.memory(machine: 8 * gib, group: gib / 4, available: 4 * gib).finding.contains("control group"))
        #expect(MachineChecks.memory(machine: 8 * gib, group: gib / 4, available: 4 * gib).state == .warning)
        #expect(MachineChecks.memory(machine: 8 * gib, group: 8 * gib, available: gib / 8).state == .warning)
        #expect(MachineChecks.overcommit(2)?.state == .warning && MachineChecks.overcommit(1)?.state == .ok)
        #expect(MachineChecks.overcommit(nil) == nil && MachineChecks.queue(nil) == nil)
        #expect(MachineChecks.queue(128)?.state == .warning && MachineChecks.queue(4_096)?.state == .ok)
        let now: Int64 = 1_772_366_400
        #expect(MachineChecks.clock(now: now, isSynchronised: true, newest: now + 60).state == .ok)
        #expect(MachineChecks.clock(now: now, isSynchronised: false, newest: nil).state == .warning)
        #expect(MachineChecks.clock(now: now, isSynchronised: nil, newest: nil).state == .ok)
        #expect(MachineChecks.clock(now: now, isSynchronised: true, newest: now + 3_600).state == .fault)
        #expect(MachineChecks.clock(now: 1_000, isSynchronised: true, newest: nil).state == .fault)
    }

    @Test("judges disks and file systems, and finds the mount of a path")
    func disks() {
        let table = MountTable(
            """
            22 1 0:20 / / rw,relatime - overlay overlay rw
            23 22 8:1 / /srv rw,relatime shared:1 - ext4 /dev/sda1 rw
            24 23 0:50 / /srv/two\\040words rw - nfs4 host:/x rw
            25 22 8:2 / /mnt ro,relatime - xfs /dev/sdb rw
            """)
        func state(_ path: String) -> DoctorRow.State { DataChecks.fileSystem(table.mount(of: path)).state }
        #expect(table.mount(of: "/srv/spark")?.type == "ext4" && state("/srv/spark") == .ok)
        #expect(table.mount(of: "/srvx")?.type == "overlay" && state("/srvx") == .warning)
        #expect(table.mount(of: "/srv/two words/x")?.type == "nfs4" && state("/srv/two words/x") == .fault)
        #expect(state("/mnt/x") == .fault)
        for (type, expected) in [
            ("tmpfs", DoctorRow.State.warning), ("btrfs", .ok), ("fuse.sshfs", .fault), ("fuse.mergerfs", .warning),
        ] {
            #expect(
                DataChecks.fileSystem(MountTable.Mount(folder: "/", type: type, isReadOnly: false)).state == expected, "\(type)")
        }
        func space(_ free: Int, database: Int = 0, inodes: Int = 1_000) -> [DoctorRow.State] {
            DataChecks.space(
                DataChecks.Space(free: free << 20, total: 100 << 30, freeInodes: inodes, inodes: 100_000),
                database: database << 20
            ).map(\.state)
        }
        #expect(space(50_000, inodes: 50_000) == [.ok, .ok] && space(100) == [.fault, .warning])
        #expect(space(50_000, database: 60_000, inodes: 0) == [.warning, .fault] && space(3_000)[0] == .warning)
    }

    @Test("judges rights: a stranger's directory, a stranger's file, what others may use")
    func rights() {
        func state(_ entries: [DataChecks.Entry], user: uid_t = 7) -> (DoctorRow.State, String) {
            let row = DataChecks.rights(entries, directory: "/d", user: user) { "user \($0)" }
            return (row.state, row.finding)
        }
        let own = DataChecks.Entry(path: ".", mode: 0o40700, owner: 7)
        let file = DataChecks.Entry(path: "spark.db", mode: 0o100600, owner: 7)
        #expect(
            state([]) == (.ok, "nothing is there yet") && state([own, file]).0 == .ok && state([own, file], user: 0).0 == .ok)
        #expect(state([own, file], user: 8) == (.fault, "the directory belongs to user 7, and you are user 8"))
        let foreign = DataChecks.Entry(path: "spark.db-wal", mode: 0o100600, owner: 0)
        #expect(state([own, file, foreign]) == (.fault, "spark.db-wal belongs to user 0, not to user 7"))
        let open = DataChecks.Entry(path: "spark.db", mode: 0o100640, owner: 7)
        #expect(state([own, open]) == (.warning, "others may use spark.db"))
        let key = DataChecks.Entry(path: "keys/server.key", mode: 0o100604, owner: 7)
        #expect(state([own, open, key]) == (.fault, "others may read keys/server.key"))
    }

    @Test("judges proxies, names and ports")
    func network() throws {
        let (local, open) = (ListenAddress(host: "127.0.0.1", port: 7_775), ListenAddress(host: "0.0.0.0", port: 7_775))
        func states(_ listen: ListenAddress, _ url: String, tls: Bool = false, _ proxies: [String]) -> [DoctorRow.State] {
            NetworkChecks.proxy(listen, url: url, hasTLS: tls, proxies: proxies).map(\.state)
        }
        #expect(states(local, "", []) == [.ok] && states(local, "https://a.example", ["127.0.0.1"]) == [.ok])
        #expect(states(local, "https://a.example", []) == [.warning] && states(open, "https://a.example", []) == [.warning])
        #expect(states(open, "https://a.example", tls: true, []) == [.ok] && states(open, "", tls: true, []) == [.warning])
        #expect(states(local, "", ["0.0.0.0/0"]) == [.fault] && states(local, "", ["::/0"]) == [.fault])
        #expect(NetworkChecks.name("", host: "", addresses: nil) == nil)
        #expect(NetworkChecks.name("http://192.0.2.1", host: "192.0.2.1", addresses: nil) == nil)
        #expect(NetworkChecks.name("https://a.example", host: "a.example", addresses: nil)?.state == .fault)
        #expect(NetworkChecks.name("https://a.example", host: "a.example", addresses: ["192.0.2.1"])?.state == .ok)
        #expect(NetworkChecks.port("http.listen", local, .refused("no such address")).state == .fault)
        #expect(NetworkChecks.port("http.listen", local, .privileged).state == .ok)
    }
}

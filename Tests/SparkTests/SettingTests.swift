import Spark
import Testing

@Suite("The settings of the modules")
struct SettingTests {
    private let schema = ConfigurationSchema(modules: sparkModules)

    @Test(
        "hosts are accepted with and without brackets, and anything else is refused before the start",
        arguments: ["chat.gif_hosts", "chat.sticker_hosts", "push.webpush_hosts"])
    func hosts(_ key: String) throws {
        let parts = key.split(separator: ".").map(String.init)
        for text in ["media.example.org,*.example.com", "[media.example.org, *.example.com]"] {
            let loaded = try LoadedConfiguration(schema: schema, flags: ["\(key)=\(text)"])
            #expect(loaded.value(parts[0], parts[1]) == .list(["media.example.org", "*.example.com"]), "\(text)")
        }
        for text in ["https://media.example.org", "media.example.org/x", "[a, [b]]", "a b"] {
            let error = #expect(throws: ConfigurationError.self) {
                try LoadedConfiguration(schema: schema, flags: ["\(key)=\(text)"])
            }
            #expect(error?.faults.first?.hasPrefix("--set \(key): ") == true, "\(text)")
        }
    }

    @Test("values are shown as the file has them, secrets never")
    func shown() throws {
        let loaded = try LoadedConfiguration(
            schema: schema, flags: ["metrics.token=a-secret-of-32-characters-or-more", "chat.gif_hosts=a.example,b.example"])
        #expect(loaded.shown("metrics.token") == "***" && loaded.shown("chat.gif_hosts") == "[a.example, b.example]")
        #expect(loaded.shown("push.webhook_secret") == "\"\"" && loaded.shown("server.nothing") == nil)
    }

    private func faults(_ flags: [String], machine: AdmissionMachine? = nil) -> [String] {
        let machine = machine ?? AdmissionMachine(descriptors: 20_000, memoryBytes: 8 << 30, processors: 2)
        do {
            _ = try LoadedConfiguration(schema: schema, flags: flags, surroundings: ConfigurationSurroundings(machine: machine))
            return []
        } catch {
            return (error as? ConfigurationError)?.faults ?? ["\(error)"]
        }
    }

    @Test(
        "values that do not fit each other are refused, and the setting that was set is blamed",
        arguments: [
            (["modules.disabled=nope"], "modules.disabled", "nope"),
            (["modules.disabled=mtching"], "modules.disabled", "did you mean matching?"),
            (["modules.disabled=accounts"], "modules.disabled", "needed by profiles, matching, chat, push"),
            (["profiles.cell_metres=20000"], "profiles.cell_metres", "10000"),
            (["profiles.hidden_cell_metres=500"], "profiles.hidden_cell_metres", "500"),
            (["operator.listen=0.0.0.0:7776"], "operator.listen", "metrics.token"),
            (["operator.listen=[::]:7776"], "operator.listen", "metrics.token"),
            (["operator.listen=7775"], "operator.listen", "http.listen"),
            (["http.listen=0.0.0.0:9000", "operator.listen=127.0.0.1:9000"], "operator.listen", "0.0.0.0:9000"),
            (["limits.body_bytes=1"], "limits.body_bytes", "at least 262144"),
            (["http.max_body_bytes=16777216", "limits.body_bytes=1000000"], "limits.body_bytes", "16777216"),
            (["limits.body_bytes_per_network=1"], "limits.body_bytes_per_network", "65536"),
            (["limits.searches=1"], "limits.searches", "limits.searches_per_person is 2"),
            (["limits.searches_per_person=17"], "limits.searches_per_person", "16"),
            (["limits.connections=100", "limits.connections_per_network=101"], "limits.connections_per_network", "101"),
            (["limits.hashing_bytes=1"], "limits.hashing_bytes", "134217728"),
            (["limits.hashing_bytes=9000000000"], "limits.hashing_bytes", "memory"),
            (["limits.body_bytes=9000000000"], "limits.body_bytes", "memory"),
            (["cache.memory_mb=8193"], "cache.memory_mb", "8192 MiB"),
            (["metrics.rules_file=/dev/zero"], "metrics.rules_file", "a device"),
            (["metrics.rules_file=/nowhere/rules.yaml"], "metrics.rules_file", "No such file"),
            (["metrics.token=  "], "metrics.token", "spaces"), (["server.data="], "server.data", "directory"),
        ])
    func relations(_ flags: [String], _ key: String, _ part: String) {
        let faults = faults(flags)
        #expect(faults.count == 1, "\(faults)")
        #expect(faults.first?.hasPrefix("--set \(key): ") == true && faults.first?.contains(part) == true, "\(faults)")
    }

    @Test("a value in the environment is blamed by its variable and its key")
    func blameOfVariables() {
        let error = #expect(throws: ConfigurationError.self) {
            try LoadedConfiguration(schema: schema, environment: ["SPARK_PROFILES_HIDDEN_CELL_METRES": "500"])
        }
        #expect(error?.faults.first?.hasPrefix("SPARK_PROFILES_HIDDEN_CELL_METRES (profiles.hidden_cell_metres): ") == true)
    }

    @Test("all faults are told at once, and none that follows from another")
    func together() {
        let faults = faults([
            "http.idle_timeout_seconds=0", "modules.disabled=nope", "operator.listen=0.0.0.0:1", "limits.searches=1",
            "cache.memory_mb=999999", "profiles.cell_metres=none", "profiles.hidden_cell_metres=200", "push.apns_url=x",
        ])
        #expect(faults.count == 7, "\(faults)")
        #expect(!faults.contains { $0.contains("hidden_cell_metres") })
    }

    @Test("a module that is left out has no say in the rest")
    func leftOut() {
        #expect(faults(["modules.disabled=metrics", "metrics.rules_file=/nowhere"]).isEmpty)
        #expect(faults(["modules.disabled=push,metrics"]).isEmpty)
    }

    static let addresses = [
        "server.public_url", "push.apns_url", "push.fcm_url", "push.webhook_url", "metrics.alert_webhook_url",
        "push.webpush_subject",
    ]

    @Test("addresses that are none are refused before the start, and a secret one is not repeated", arguments: addresses)
    func noAddresses(_ key: String) {
        for text in [
            "x", "example.org", "https://", "https://:443", "https://a b", "https://exa mple.org/", "https://example.org:0",
            "https://example.org:70000", "https://[::1", "https://[::g]", "https://user:secret@example.org",
            "https://example.org/#x",
            "ftp://example.org", "file:///etc/passwd", "https:/example.org", "https://example..org", "https://-a.example",
            "https://bücher.example", "https://example.org/ä", "https://1.2.3", "mailto:", "mailto:a@", "javascript:x",
            "https://" + String(repeating: "a", count: 3_000),
        ] {
            let faults = faults(["\(key)=\(text)"])
            #expect(faults.count == 1 && faults.first?.hasPrefix("--set \(key): ") == true, "\(text): \(faults)")
            if key == "metrics.alert_webhook_url", text.utf8.count > 9, text != "example.org" {
                #expect(faults.first?.contains(text) == false)
            }
        }
    }

    @Test("addresses are taken", arguments: addresses)
    func goodAddresses(_ key: String) {
        for text in [
            "", "https://example.org", "https://example.org/", "https://example.org:8443/a/b", "https://10.0.0.1",
            "https://[2001:db8::1]:1",
            "https://my_service:80",
        ] { #expect(faults(["\(key)=\(text)"]).isEmpty, "\(text)") }
        let plain = faults(["\(key)=http://example.org"]).isEmpty
        #expect(plain == ["server.public_url", "metrics.alert_webhook_url"].contains(key))
        if key == "push.webhook_url" {
            for host in ["localhost", "127.0.0.1:9", "[::1]:9/x"] {
                #expect(faults(["\(key)=http://\(host)"]).isEmpty, "\(host)")
            }
            #expect(!faults(["\(key)=http://localhost.example.org"]).isEmpty)
        }
        if key == "push.webpush_subject" { #expect(faults(["\(key)=mailto:operator@example.org"]).isEmpty) }
    }

    @Test("the disk and the memory that a cache may take are judged beside what there is")
    func machine() throws {
        let little = AdmissionMachine(descriptors: 20_000, memoryBytes: 512 << 20, processors: 1)
        #expect(faults(["cache.memory_mb=512"], machine: little).isEmpty)
        #expect(faults(["cache.memory_mb=513"], machine: little).count == 1)
        #expect(faults([], machine: AdmissionMachine(descriptors: 20_000, memoryBytes: 32 << 20, processors: 1)).isEmpty)
        let surroundings = ConfigurationSurroundings(machine: little)
        let loaded = try LoadedConfiguration(
            schema: schema, flags: ["cache.memory_mb=500", "server.data=/proc/nowhere", "cache.disk_mb=49152"],
            surroundings: surroundings)
        let notes = loaded.notes(in: surroundings)
        #expect(notes.contains { $0.contains("cache.memory_mb") } && notes.contains { $0.contains("cache.disk_mb") }, "\(notes)")
        let file = try LoadedConfiguration(
            schema: schema, flags: ["metrics.certificate_file=/nowhere/x"], surroundings: surroundings)
        #expect(file.notes(in: surroundings).contains { $0.contains("metrics.certificate_file") && $0.contains("No such file") })
    }
}

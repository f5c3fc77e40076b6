import Foundation
import SparkKit
import SparkServer
import Testing

@Suite("The configuration")
struct ConfigurationTests {
    private let schema = ConfigurationSchema(modules: [Root.self])

    private func http(
        flags: [String] = [], environment: [String: String] = [:], yaml: String? = nil
    ) throws -> SettingValuesProbe {
        let loaded = try LoadedConfiguration(
            schema: schema, flags: flags, environment: environment, file: yaml.map { ("spark.yaml", $0) })
        return loaded.section("http")
    }

    @Test("a flag beats the environment, the environment beats the file, the file beats the default")
    func rank() throws {
        let yaml = "http:\n  max_body_bytes: 2000\n"
        let environment = ["SPARK_HTTP_MAX_BODY_BYTES": "3000"]
        #expect(try http().maximumBodyBytes == 65_536)
        #expect(try http(yaml: yaml).maximumBodyBytes == 2_000)
        #expect(try http(environment: environment, yaml: yaml).maximumBodyBytes == 3_000)
        #expect(
            try http(flags: ["http.max_body_bytes=4000"], environment: environment, yaml: yaml).maximumBodyBytes == 4_000)
    }

    @Test("all faults are reported at once, with the place and the nearest name")
    func faults() throws {
        let yaml =
            "htpp:\n  listen: x\nhttp:\n  max_body_byte: 2000\n  idle_timeout_seconds: 0\n  trusted_proxies: [10.0.0.1, fd00::/8]\n"
        let error = #expect(throws: ConfigurationError.self) {
            try http(
                flags: ["http.reads_per_minute=many", "nonsense"],
                environment: ["SPARK_HTTP_LISTEM": "x", "OTHER": "y"], yaml: yaml)
        }
        let faults = try #require(error).faults
        #expect(faults.count == 6, "\(faults)")
        #expect(faults.contains { $0.contains("spark.yaml:1: htpp: unknown section; did you mean http?") })
        #expect(faults.contains { $0.contains("spark.yaml:4: http.max_body_byte: unknown key; did you mean max_body_bytes?") })
        #expect(faults.contains { $0.contains("http.idle_timeout_seconds: 0 is out of range (1 to 3600)") })
        #expect(
            faults.contains { $0.contains("SPARK_HTTP_LISTEM: unknown environment variable; did you mean SPARK_HTTP_LISTEN?") })
        #expect(faults.contains { $0.contains("--set http.reads_per_minute: a whole number is expected") })
        #expect(faults.contains { $0.contains("--set nonsense: expected section.key=value") })
    }

    @Test(
        "variables of other programs are ignored with a note that names them and nothing of their values",
        arguments: [
            ("SPARK_HOME", "/opt/spark"), ("SPARK_PORT", "tcp://10.0.0.1:7775"), ("SPARK_SERVICE_HOST", "10.0.0.1"),
            ("SPARK_SERVICE_PORT", "7775"), ("SPARK_SERVICE_PORT_HTTP", "7775"), ("SPARK_PORT_7775_TCP", "tcp://10.0.0.1:7775"),
            ("SPARK_PORT_7775_TCP_PROTO", "tcp"), ("SPARK_PORT_7775_TCP_PORT", "7775"), ("SPARK_PORT_7775_TCP_ADDR", "10.0.0.1"),
            ("SPARK_API_SERVICE_HOST", "10.0.0.1"), ("SPARK_HTTP_SERVICE_HOST", "10.0.0.1"), ("SPARK_HTTP_SERVICE_PORT", "80"),
            ("SPARK_HTTP_SERVICE_PORT_WEB", "80"), ("SPARK_HTTP_PORT", "tcp://10.0.0.1:80"),
            ("SPARK_CACHE_PORT", "udp://10.0.0.1:80"),
            ("SPARK_HTTP_PORT_80_TCP", "tcp://10.0.0.1:80"), ("SPARK_HTTP_PORT_80_TCP_ADDR", "10.0.0.1"),
            ("SPARK_STREAM_PORT_80_UDP_PORT", "80"), ("SPARK_CONF_DIR", "/etc/spark"), ("SPARK_LOCAL_IP", "10.0.0.1"),
            ("SPARK_MASTER_HOST", "master"), ("SPARK_WORKER_CORES", "4"), ("SPARK_LOG_DIR", "/var/log"), ("SPARK_", "x"),
            ("SPARK_HTTP", "x"), ("SPARK_HTTPD_LISTEN_ON_ALL", "x"),
        ])
    func foreign(_ name: String, _ value: String) throws {
        let loaded = try LoadedConfiguration(schema: schema, environment: [name: value])
        #expect(loaded.notes.count == 1)
        let rest = loaded.notes[0].replacing(name, with: "")
        #expect(rest != loaded.notes[0] && (value == "x" || !rest.contains(value)))
    }

    @Test("reserved names and other prefixes are not even noted")
    func silent() throws {
        let loaded = try LoadedConfiguration(
            schema: schema,
            environment: ["SPARK_URL": "http://x", "SPARK_ADMIN_TOKEN": "t", "PATH": "/bin", "spark_http_listen": "x"])
        #expect(loaded.notes.isEmpty)
    }

    @Test(
        "a mistake in a name of ours is an error with the nearest name",
        arguments: [
            ("SPARK_HTTP_LISTE", "SPARK_HTTP_LISTEN"), ("SPARK_HTTP_LISTE_FILE", "SPARK_HTTP_LISTEN_FILE"),
            ("SPARK_SERVER_DATE", "SPARK_SERVER_DATA"), ("SPARK_CACHE_MEMORY_BM", "SPARK_CACHE_MEMORY_MB"),
        ])
    func misspelt(_ name: String, _ nearest: String) throws {
        let error = #expect(throws: ConfigurationError.self) {
            try LoadedConfiguration(schema: schema, environment: [name: "x"])
        }
        #expect(error?.faults == ["\(name): unknown environment variable; did you mean \(nearest)?"])
    }

    @Test("a section that is misspelt is noted with the name that may have been meant")
    func misspeltSection() throws {
        let loaded = try LoadedConfiguration(schema: schema, environment: ["SPARK_HTPP_LISTEN": "x"])
        #expect(loaded.notes.first?.contains("SPARK_HTPP_LISTEN (did you mean SPARK_HTTP_LISTEN?)") == true)
    }

    @Test(
        "invalid addresses, networks and origins are refused before the server starts",
        arguments: [
            "http.trusted_proxies=proxy.example", "http.trusted_proxies=10.0.0.0/33", "http.trusted_proxies=10.0.0.1,x",
            "http.allowed_origins=*", "http.allowed_origins=null", "http.allowed_origins=https://a.example/",
            "http.allowed_origins=https://a.example/path", "http.allowed_origins=a.example", "stream.allowed_origins=*",
            "http.allowed_origins=https://a.example:0", "http.allowed_origins=https://", "http.listen=nonsense",
            "http.listen=999.0.0.1:80", "http.listen=a..b:80", "http.listen=0:80", "http.listen=[127.0.0.1]:80",
            "operator.listen=::1:80",
            "operator.listen=[x]:80", "operator.listen=a b:80",
            "http.listen=127.0.0.1", "http.listen=::1:80", "http.listen=127.0.0.1:70000", "http.listen=",
        ])
    func refusedValues(_ flag: String) throws {
        let error = #expect(throws: ConfigurationError.self) { try LoadedConfiguration(schema: schema, flags: [flag]) }
        #expect(error?.faults.count == 1)
        #expect(error?.faults.first?.hasPrefix("--set \(flag.prefix { $0 != "=" }): ") == true)
    }

    @Test(
        "valid addresses, networks and origins are accepted",
        arguments: [
            "http.trusted_proxies=10.0.0.1,fd00::/8,::ffff:10.0.0.0/104",
            "http.allowed_origins=https://a.example,http://localhost:3000",
            "http.allowed_origins=capacitor://localhost", "stream.allowed_origins=https://[2001:db8::1]:8443", "http.listen=7776",
            "http.listen=:7776", "http.listen=[::1]:0", "http.listen=localhost:80", "http.trusted_proxies=",
        ])
    func takenValues(_ flag: String) throws {
        #expect(throws: Never.self) { try LoadedConfiguration(schema: schema, flags: [flag]) }
    }

    @Test(
        "invalid YAML is reported with its line and the key in which it happens",
        arguments: [
            ("http:\n  listen: 1\n\tmax_body_bytes: 2000\n", 3, "max_body_bytes"),
            ("http:\n  listen: [1, 2\n", 2, "http.listen"), ("http:\n  listen: \"x\n", 2, "http.listen"),
            ("http:\n  listen: a: b\n", 2, "http.listen"), ("server:\n  data: x\n  data: y\n", 3, "server.data"),
            ("http:\n  listen: x\nhttp:\n  ws_echo: true\n", 3, "http"),
            ("http:\n  trusted_proxies: *all\n", 2, "trusted_proxies"),
            ("http:\n  listen: @x\n", 2, "http.listen"), ("http:\n    listen: x\n  ws_echo: true\n", 3, "ws_echo"),
        ])
    func brokenFile(_ yaml: String, _ line: Int, _ key: String) throws {
        let error = #expect(throws: ConfigurationError.self) { try http(yaml: yaml) }
        let fault = try #require(error?.faults.first)
        let place = fault.split(separator: ":").dropFirst().first.flatMap { Int($0) } ?? 0
        // An unclosed bracket is only found at the end of the file.
        #expect((line...line + 1).contains(place) && fault.contains(key), "\(fault)")
        #expect(fault.hasPrefix("spark.yaml:") && !fault.hasSuffix("not readable as YAML"))
    }

    @Test(
        "a value of the wrong shape is reported with its line and key",
        arguments: [
            ("http:\n  listen: [a]\n", "spark.yaml:2: http.listen: a single value is expected, not a list"),
            ("http:\n  trusted_proxies: {a: b}\n", "spark.yaml:2: http.trusted_proxies: a list of single values"),
            ("http:\n  trusted_proxies:\n    - [10.0.0.1]\n", "spark.yaml:2: http.trusted_proxies: a list of single values"),
            ("http: 7\n", "spark.yaml:1: http: keys are expected"), ("- http\n", "spark.yaml:1: sections are expected"),
        ])
    func wrongShape(_ yaml: String, _ start: String) throws {
        let error = #expect(throws: ConfigurationError.self) { try http(yaml: yaml) }
        #expect(error?.faults.count == 1 && error?.faults.first?.hasPrefix(start) == true, "\(error?.faults ?? [])")
    }

    @Test(
        "a list on the command line may have brackets, as in the file",
        arguments: [
            ("10.0.0.1, fd00::/8", ["10.0.0.1", "fd00::/8"]), ("[10.0.0.1, fd00::/8]", ["10.0.0.1", "fd00::/8"]),
            ("[\"10.0.0.1\"]", ["10.0.0.1"]), ("[10.0.0.1]", ["10.0.0.1"]), ("[]", []), (" [ ] ", []), ("", []),
        ])
    func lists(_ text: String, _ items: [String]) throws {
        for loaded in [
            try LoadedConfiguration(schema: schema, flags: ["http.trusted_proxies=\(text)"]),
            try LoadedConfiguration(schema: schema, environment: ["SPARK_HTTP_TRUSTED_PROXIES": text]),
        ] { #expect(loaded.value("http", "trusted_proxies") == .list(items)) }
    }

    @Test("an invalid list in brackets is refused", arguments: ["[10.0.0.1", "[[10.0.0.1]]", "[{a: b}]", "10.0.0.1]"])
    func brokenLists(_ text: String) throws {
        let error = #expect(throws: ConfigurationError.self) {
            try LoadedConfiguration(schema: schema, flags: ["http.trusted_proxies=\(text)"])
        }
        #expect(error?.faults.first?.hasPrefix("--set http.trusted_proxies: ") == true)
    }

    @Test("a fault of a flag with its own name names that flag, and such a flag beats --set")
    func ownFlags() throws {
        let error = #expect(throws: ConfigurationError.self) {
            try LoadedConfiguration(schema: schema, ownFlags: [SettingFlag("--listen", "http.listen=nonsense")])
        }
        #expect(error?.faults.count == 1 && error?.faults.first?.hasPrefix("--listen: ") == true)
        let loaded = try LoadedConfiguration(
            schema: schema, flags: ["http.listen=1"], ownFlags: [SettingFlag("--listen", "http.listen=2")])
        #expect(loaded.value("http", "listen") == .text("2") && loaded.origins["http.listen"] == "--listen")
    }

    @Test("host names are accepted, everything else is refused")
    func hostNames() {
        for text in ["media.example.org", "localhost", "10.0.0.1", "xn--bcher-kva.example", "a-b.c", "A.example"] {
            #expect(HostName.fault(text) == nil && HostName.patternFault("*.\(text)") == nil, "\(text)")
        }
        for text in [
            "", "*", "[host]", "https://a.example", "a.example:80", "a.example/x", "a..b", ".a", "a.", "-a.b", "a-.b", "a_b.c",
            "bücher.example", "a b", "a.*.b", "300.1.1.1", "1.2.3", "::1", String(repeating: "a", count: 64),
            String(repeating: "a.", count: 127) + "a",
        ] {
            #expect(HostName.patternFault(text) != nil, "\(text)")
            #expect(HostName.patternFault("*.\(text)") != nil, "\(text)")
        }
    }

    @Test("a value may be in a file that the environment names")
    func secretFile() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "spark-secret-\(UUID().uuidString)")
        try Data("5000\n".utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        #expect(try http(environment: ["SPARK_HTTP_MAX_BODY_BYTES_FILE": file.path]).maximumBodyBytes == 5_000)
    }

    @Test("a fault repeats the given value, in one line and short")
    func given() {
        for (flag, part) in [
            ("http.reads_per_minute=many", "not \"many\""), ("http.ws_echo=maybe", "not \"maybe\""),
            ("http.listen=nonsense", "not \"nonsense\""),
            ("http.listen=\u{1B}[2J\n", "\\u{1b}[2J\\u{a}"), ("server.log_level=loud", "not \"loud\""),
            ("http.listen=" + String(repeating: "x", count: 5_000), "(5000 bytes)"),
        ] {
            let error = #expect(throws: ConfigurationError.self) { try LoadedConfiguration(schema: schema, flags: [flag]) }
            #expect(error?.faults.count == 1 && error?.faults.first?.contains(part) == true, "\(error?.faults ?? [])")
            #expect((error?.faults.first?.utf8.count ?? .max) < 400)
        }
    }

    @Test("a fault repeats no password of an address")
    func password() {
        for flag in ["server.public_url=https://joe:hunter2@example.org", "server.public_url=https://joe:hun/ter2@example.org?x"]
        {
            let error = #expect(throws: ConfigurationError.self) { try LoadedConfiguration(schema: schema, flags: [flag]) }
            let text = error?.faults.joined() ?? ""
            #expect(text.contains("https://***@example.org") && !text.contains("ter2") && !text.contains("joe"), "\(text)")
        }
    }

    @Test("what follows a name without a value is not repeated: it may be a secret")
    func carelessSecret() {
        let error = #expect(throws: ConfigurationError.self) {
            try LoadedConfiguration(schema: schema, flags: ["metrics.token:hunter2-hunter2"])
        }
        #expect(error?.faults == ["--set metrics.token: expected section.key=value"])
    }

    @Test("a variable and the file for it cannot both be set")
    func twice() throws {
        let error = #expect(throws: ConfigurationError.self) {
            try http(environment: ["SPARK_HTTP_MAX_BODY_BYTES": "5000", "SPARK_HTTP_MAX_BODY_BYTES_FILE": "/dev/null"])
        }
        #expect(error?.faults.count == 1 && error?.faults.first?.contains("leave out one") == true, "\(error?.faults ?? [])")
    }

    @Test("the default file is read back as the defaults, and nothing in it is refused")
    func defaultFile() throws {
        #expect(try http(yaml: schema.defaultFile).maximumBodyBytes == 65_536)
        #expect(throws: Never.self) { try http(yaml: "") }
        #expect(throws: ConfigurationError.self) { try http(yaml: "- a\n- b\n") }
        #expect(throws: ConfigurationError.self) { try http(yaml: "http: [") }
    }
}

/// Reads the one key that these tests use.
struct SettingValuesProbe: ModuleConfiguration {
    static let settings: [Setting] = []
    let maximumBodyBytes: Int
    init(_ values: SettingValues) { maximumBodyBytes = values.integer("max_body_bytes") }
}

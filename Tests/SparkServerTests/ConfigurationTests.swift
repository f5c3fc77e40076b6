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

    @Test("a flag beats the environment, that the file, that the default")
    func rank() throws {
        let yaml = "http:\n  max_body_bytes: 2000\n"
        let environment = ["SPARK_HTTP_MAX_BODY_BYTES": "3000"]
        #expect(try http().maximumBodyBytes == 65_536)
        #expect(try http(yaml: yaml).maximumBodyBytes == 2_000)
        #expect(try http(environment: environment, yaml: yaml).maximumBodyBytes == 3_000)
        #expect(
            try http(flags: ["http.max_body_bytes=4000"], environment: environment, yaml: yaml).maximumBodyBytes == 4_000)
    }

    @Test("every fault is told at once, with the place and the nearest name")
    func faults() throws {
        let yaml = "htpp:\n  listen: x\nhttp:\n  max_body_byte: 2000\n  idle_timeout_seconds: 0\n  trusted_proxies: [a, b]\n"
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

    @Test("a value may stand in a file that the environment names")
    func secretFile() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "spark-secret-\(UUID().uuidString)")
        try Data("5000\n".utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        #expect(try http(environment: ["SPARK_HTTP_MAX_BODY_BYTES_FILE": file.path]).maximumBodyBytes == 5_000)
    }

    @Test("the default file is read back as the defaults, and nothing in it is refused")
    func defaultFile() throws {
        #expect(try http(yaml: schema.defaultFile).maximumBodyBytes == 65_536)
        #expect(throws: Never.self) { try http(yaml: "") }
        #expect(throws: ConfigurationError.self) { try http(yaml: "- a\n- b\n") }
        #expect(throws: ConfigurationError.self) { try http(yaml: "http: [") }
    }
}

/// Reads the one key that these tests look at.
struct SettingValuesProbe: ModuleConfiguration {
    static let settings: [Setting] = []
    let maximumBodyBytes: Int
    init(_ values: SettingValues) { maximumBodyBytes = values.integer("max_body_bytes") }
}

import Foundation
import Glibc
import Spark
import SparkTestSupport
import Testing

/// Gives every setting of every section values that are wrong in some way, from each place that a value can come from.
@Suite("Hostile values of settings")
struct HostileSettingTests {
    private static let schema = ConfigurationSchema(modules: sparkModules)
    private static let keys = schema.sections.flatMap { section in section.settings.map { "\(section.name).\($0.key)" } }
    private static let machine = AdmissionMachine(descriptors: 20_000, memoryBytes: 8 << 30, processors: 2)
    private static let huge = String(repeating: "x", count: 2 << 20)

    /// Values that can be written in one line.
    private static let plain = [
        "", " ", "-1", "99999999999999999999", "9e999", "nan", "true", "[[[[", "[", "{a: b}", "☃", "\u{202E}x",
        "../../etc/passwd",
        "/dev/zero", "/dev/null", "/", "/proc/self/mem", "https://", "http://[::1", "://", "0.0.0.0:0", "*",
    ]

    private func setting(_ key: String) throws -> Setting {
        let parts = key.split(separator: ".").map(String.init)
        return try #require(Self.schema.sections.first { $0.name == parts[0] }?.settings.first { $0.key == parts[1] })
    }

    private func load(flags: [String] = [], environment: [String: String] = [:], yaml: String? = nil) -> Result<
        LoadedConfiguration, any Error
    > {
        Result {
            try LoadedConfiguration(
                schema: Self.schema, flags: flags, environment: environment, file: yaml.map { ("spark.yaml", $0) },
                surroundings: ConfigurationSurroundings(machine: Self.machine, isEphemeral: true))
        }
    }

    private func withOddFiles(_ body: ([String]) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "spark-odd-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try #require(mkfifo("\(folder)/pipe", 0o600) == 0 && symlink("\(folder)/loop", "\(folder)/loop") == 0)
        try Data(repeating: 0x78, count: 10 << 20).write(to: URL(filePath: "\(folder)/huge"))
        try await body(["pipe", "loop", "huge", "."].map { "\(folder)/\($0)" } + ["/dev/zero", "/dev/null"])
    }

    /// A refusal is a list of sentences, each of which names the setting, and none of which repeats a long value or a secret.
    ///
    /// - Parameter secret: The value, which no refusal may repeat if the setting is secret.
    private func check(_ result: Result<LoadedConfiguration, any Error>, of key: String, value secret: String?) throws {
        guard case .failure(let error) = result else { return }
        let faults = try #require(error as? ConfigurationError, "\(key): \(error)").faults
        let variable = "SPARK_\(key.replacing(".", with: "_").uppercased())"
        #expect(!faults.isEmpty)
        for fault in faults {
            #expect(fault.contains(key) || fault.contains(variable), "\(key): \(fault)")
            #expect(fault.utf8.count < 1_000 && !fault.contains("\u{202E}") && !fault.utf8.contains(0), "\(key)")
        }
        if try setting(key).isSecret, let secret, secret.utf8.count > 8 {
            #expect(!faults.contains { $0.contains(secret) }, "\(key)")
        }
    }

    /// Every value comes from each place for each setting in a soak. Otherwise the places take turns, so that each value meets each
    /// place with a third of the settings.
    private func check(_ value: String, turn: Int, of key: String) throws {
        let variable = "SPARK_\(key.replacing(".", with: "_").uppercased())"
        let parts = key.split(separator: ".")
        if Scale.isSoak || turn % 3 == 0 { try check(load(flags: ["\(key)=\(value)"]), of: key, value: value) }
        if Scale.isSoak || turn % 3 == 1 { try check(load(environment: [variable: value]), of: key, value: value) }
        guard Scale.isSoak || turn % 3 == 2 else { return }
        let text = value.utf8.count > 1_000 ? String(value.prefix(5_000)) : value
        let quoted = text.unicodeScalars.map { "\\U" + String(String(0x1_0000_0000 + UInt64($0.value), radix: 16).dropFirst()) }
        let yaml = "\(parts[0]):\n  \(parts[1]): \"\(quoted.joined())\"\n"
        try check(load(yaml: yaml), of: key, value: value)
    }

    @Test("are refused or taken, without a trap or a wait, from flag, environment and file")
    func everySetting() async throws {
        #expect(Self.keys.count > 60)
        try await withOddFiles { files in
            for (number, key) in Self.keys.enumerated() {
                // All tests share as many threads as there are processors, and this one computes long.
                await Task.yield()
                let variable = "SPARK_\(key.replacing(".", with: "_").uppercased())"
                let parts = key.split(separator: ".")
                for (turn, value) in (Self.plain + files + ["a\0b", "\n", "\u{7F}", Self.huge]).enumerated() {
                    try check(value, turn: number + turn, of: key)
                }
                for shape in ["[a, [b]]", "{a: b}", "~", "", "[]", "!!binary x"] {
                    try check(load(yaml: "\(parts[0]):\n  \(parts[1]): \(shape)\n"), of: key, value: shape)
                }
                for file in files {
                    let result = load(environment: ["\(variable)_FILE": file])
                    #expect(throws: ConfigurationError.self, "\(key) from \(file)") { try result.get() }
                    // The path of a file with a secret is no secret.
                    try check(result, of: key, value: nil)
                }
            }
        }
    }

    @Test(
        "control characters, zero bytes and endless texts are taken by no setting",
        arguments: ["a\0b", "a\nb", "\u{1B}[2J", "long"])
    func unfit(_ value: String) async throws {
        for key in Self.keys {
            await Task.yield()
            let result = load(flags: ["\(key)=\(value == "long" ? Self.huge : value)"])
            #expect(throws: ConfigurationError.self, "\(key)") { try result.get() }
        }
    }

    @Test("what is no regular file is refused wherever a setting names a file, and what it is is said")
    func files() async throws {
        let named = Self.schema.sections.flatMap { section in
            section.settings.filter { $0.longestFile != nil }.map { "\(section.name).\($0.key)" }
        }
        #expect(named.count == 10, "\(named)")
        // A path that is read later must be declared as one.
        #expect(Self.keys.filter { $0.hasSuffix("_file") }.sorted() == named.sorted())
        try await withOddFiles { files in
            for key in named {
                for file in files where !file.hasSuffix("loop") {
                    let result = load(flags: ["\(key)=\(file)"])
                    let error = #expect(throws: ConfigurationError.self, "\(key) = \(file)") { try result.get() }
                    let word =
                        file.hasSuffix("pipe")
                        ? "a named pipe"
                        : file.hasSuffix("huge") ? "longer than" : file.hasSuffix(".") ? "a directory" : "a device"
                    // A certificate without a key, and a key without one, is a fault beside.
                    let faults = (error?.faults ?? []).filter { !$0.contains("as well") }
                    #expect(faults.count == 1 && faults.first?.contains(word) == true, "\(faults)")
                }
            }
        }
    }

    @Test("what is not refused starts a server")
    func started() async throws {
        // Many values at once, as each start takes time. What only one value at a time can have is in the other tests.
        for values in [Self.plain.suffix(14), ["{a: b}", "☃", "x"]] {
            for value in values {
                var flags: [String] = []
                for key in Self.keys where !["http.listen", "operator.listen", "server.data"].contains(key) {
                    await Task.yield()
                    guard case .success = load(flags: flags + ["\(key)=\(value)"]) else { continue }
                    flags.append("\(key)=\(value)")
                }
                #expect(!flags.isEmpty)
                let server = try await Spark.start(settings: flags)
                try await server.stop()
            }
        }
    }

    @Test("the lowest and the highest value of each setting are both taken or refused with its key")
    func bounds() throws {
        for key in Self.keys {
            let values: [String]
            switch try setting(key).kind {
            case .integer(let range): values = [range.lowerBound, range.upperBound].map { "\($0)" }
            case .number(let range): values = [range.lowerBound, range.upperBound].map { "\($0)" }
            default: continue
            }
            for value in values { try check(load(flags: ["\(key)=\(value)"]), of: key, value: value) }
        }
    }
}

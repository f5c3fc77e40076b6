import Foundation
import SparkTestSupport
import Testing

/// The packages in `data/clients`: that they have every route and frame, that their types hold, and the same story in each of them
/// against the binary.
@Suite("Clients in other languages", .timeLimit(.minutes(20)))
struct ClientPackagesTests {
    private static let packages = SourceFolder.root.appending(path: "data/clients")
    private static let absentForPython = ClientPrograms.missing("python3")
    private static let absentForMypy = ClientPrograms.missing("python3", "mypy")
    private static let absentForTypes = ClientPrograms.missing("tsc")
    private static let absentForTypeScript = ClientPrograms.missing("tsc", "node")

    @Test(
        "have the types and the routes that the modules declare",
        arguments: [
            ("typescript", "data/clients/typescript/src", ["models.ts", "routes.ts"]),
            ("python", "data/clients/python/spark_client", ["models.py", "routes.py"]),
            ("swift", "Sources/SparkClient/Made", ["ClientModels.swift", "ClientRoutes.swift"]),
        ])
    func generated(_ language: String, _ folder: String, _ files: [String]) async throws {
        try await withTemporaryFolder { made in
            let run = try await SparkProcess.run(["export", "client", language, "--to", made.path])
            #expect(run.status == 0, "\(run.errors)")
            for file in files {
                let fresh = try String(contentsOf: made.appending(path: file), encoding: .utf8)
                let kept = try String(
                    contentsOf: SourceFolder.root.appending(path: "\(folder)/\(file)"), encoding: .utf8)
                let isSame = fresh == kept
                #expect(isSame, "\(file) is old: spark export client \(language) --to \(folder)")
            }
        }
    }

    @Test("Python: its own tests, with the story of two people", .enabled(if: absentForPython == nil, note(absentForPython)))
    func python() async throws {
        let run = try await ClientPrograms.run(
            "python3", ["-B", "-m", "unittest", "discover", "-s", "tests", "-t", "."], in: Self.packages.appending(path: "python")
        )
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.contains("\nOK"), "\(run.output)")
        ClientPrograms.showSkipped(run.output)
    }

    @Test("Python: the types hold", .enabled(if: absentForMypy == nil, note(absentForMypy)))
    func pythonTypes() async throws {
        try await withTemporaryFolder { cache in
            let run = try await ClientPrograms.run(
                "mypy", ["--strict", "--cache-dir", cache.path, "spark_client", "tests"],
                in: Self.packages.appending(path: "python"))
            #expect(run.status == 0, "\(run.output)")
        }
    }

    @Test("Python: the examples on the page fit the types", .enabled(if: absentForMypy == nil, note(absentForMypy)))
    func pythonExamples() async throws {
        try await withTemporaryFolder { folder in
            let files = try Self.examples("python", ending: "py", in: folder)
            let run = try await ClientPrograms.run(
                "mypy", ["--config-file=", "--cache-dir", folder.path] + files.map { folder.appending(path: $0).path },
                in: Self.packages.appending(path: "python"))
            #expect(run.status == 0, "\(run.output)")
        }
    }

    @Test("TypeScript: the examples on the page fit the types", .enabled(if: absentForTypes == nil, note(absentForTypes)))
    func typeScriptExamples() async throws {
        try await withPackage("typescript") { package in
            _ = try Self.examples("ts", ending: "ts", in: package.appending(path: "test"))
            let paths = #"{ "spark-client": ["src/index"], "spark-client/testing": ["src/server"] }"#
            let options = #"{ "noEmit": true, "noUnusedLocals": false, "baseUrl": ".", "paths": \#(paths) }"#
            try Data(#"{ "extends": "./tsconfig.test.json", "compilerOptions": \#(options) }"#.utf8)
                .write(to: package.appending(path: "tsconfig.page.json"))
            let run = try await ClientPrograms.run("tsc", ["-p", "tsconfig.page.json"], in: package)
            #expect(run.status == 0, "\(run.output)")
        }
    }

    /// Writes the examples of a language as files.
    /// - Returns: their names.
    private static func examples(_ language: String, ending: String, in folder: URL) throws -> [String] {
        let blocks = try DocumentationPages.blocks(of: "docs/guide/clients.md").filter { $0.language == language }
        #expect(blocks.count > 1)
        return try blocks.enumerated().map { index, block in
            let name = "example\(index).\(ending)"
            try Data(block.lines.joined(separator: "\n").utf8).write(to: folder.appending(path: name))
            return name
        }
    }

    @Test("TypeScript: the types hold", .enabled(if: absentForTypes == nil, note(absentForTypes)))
    func typeScriptTypes() async throws {
        try await withPackage("typescript") { package in
            let run = try await ClientPrograms.run("tsc", [], in: package)
            #expect(run.status == 0, "\(run.output)")
            let isThere = FileManager.default.fileExists(atPath: package.appending(path: "dist/index.d.ts").path)
            #expect(isThere)
        }
    }

    @Test(
        "TypeScript: its own tests, with the story of two people over each transport",
        .enabled(if: absentForTypeScript == nil, note(absentForTypeScript)))
    func typeScript() async throws {
        try await withPackage("typescript") { package in
            let built = try await ClientPrograms.run("tsc", ["-p", "tsconfig.test.json"], in: package)
            #expect(built.status == 0, "\(built.output)")
            let version = try await ClientPrograms.run("node", ["--version"], in: package)
            let number = version.output.dropFirst().split(separator: ".").first.flatMap { Int($0) } ?? 0
            // Node 20 has WebSockets behind a flag, which later versions still take; Node 18 has none.
            let flags = number >= 20 ? ["--experimental-websocket"] : []
            let names = try FileManager.default.contentsOfDirectory(atPath: package.appending(path: "build/test").path)
            let files = names.filter { $0.hasSuffix(".test.js") }.sorted().map { "build/test/\($0)" }
            #expect(files.count > 1)
            let run = try await ClientPrograms.run("node", flags + ["--test"] + files, in: package)
            #expect(run.status == 0, "\(run.output)")
            #expect(run.output.contains("# fail 0") || run.output.contains("fail 0"), "\(run.output)")
            ClientPrograms.showSkipped(run.output)
        }
    }

    private static func note(_ program: String?) -> Comment { "skipped: \(program ?? "") is not installed" }

    /// A copy of a package, so that what is built in it does not stay.
    private func withPackage(_ language: String, _ body: (URL) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let package = folder.appending(path: language)
            try FileManager.default.copyItem(at: Self.packages.appending(path: language), to: package)
            try await body(package)
        }
    }
}

/// The generators of others that make a client from the document.
@Suite("Generators of clients", .timeLimit(.minutes(20)))
struct ClientGeneratorTests {
    private static let absentForClient = ClientPrograms.missing("openapi-python-client")
    private static let absentForModels = ClientPrograms.missing("datamodel-codegen")

    @Test(
        "openapi-python-client finds nothing to complain about",
        .enabled(if: absentForClient == nil, "skipped: \(absentForClient ?? "") is not installed"))
    func client() async throws {
        try await withDocument { folder in
            // Otherwise it formats what it made, by programs that may be missing.
            try Data("post_hooks: []\n".utf8).write(to: folder.appending(path: "config.yaml"))
            let run = try await ClientPrograms.run(
                "openapi-python-client",
                [
                    "generate", "--path", "openapi.json", "--meta", "none", "--output-path", "made", "--config", "config.yaml",
                    "--fail-on-warning",
                ], in: folder)
            #expect(run.status == 0, "\(run.output)")
        }
    }

    @Test(
        "datamodel-codegen makes models of every schema",
        .enabled(if: absentForModels == nil, "skipped: \(absentForModels ?? "") is not installed"))
    func models() async throws {
        try await withDocument { folder in
            let run = try await ClientPrograms.run(
                "datamodel-codegen",
                [
                    "--input", "openapi.json", "--input-file-type", "openapi", "--output", "models.py",
                    "--output-model-type", "pydantic_v2.BaseModel",
                ], in: folder)
            #expect(run.status == 0, "\(run.output)")
            let models = try String(contentsOf: folder.appending(path: "models.py"), encoding: .utf8)
            for name in ["Registration", "Suggestion", "SwipeAction", "NumberedFrame"] {
                #expect(models.contains("class \(name)("), "\(name)")
            }
            // A schema without a name gets a number.
            let numbered = try #/class [A-Za-z]+[0-9]+\(/#.firstMatch(in: models)
            #expect(numbered == nil, "\(numbered?.output ?? "")")
        }
    }

    private func withDocument(_ body: (URL) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let run = try await SparkProcess.run(["openapi"])
            try Data(run.output.utf8).write(to: folder.appending(path: "openapi.json"))
            try await body(folder)
        }
    }
}

/// Programs that need not be installed.
private enum ClientPrograms {
    /// The first of some programs that is not on the path; nil if all are.
    static func missing(_ programs: String...) -> String? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return programs.first { program in
            !folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(program)") }
        }
    }

    /// How a program ends that may start the binary, and what it writes to both of its outputs.
    static func run(_ program: String, _ arguments: [String], in folder: URL) async throws -> (status: Int32, output: String) {
        let inherited = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("SPARK_") }
        let environment = inherited.merging(["SPARK_BINARY": SparkProcess.binary.path]) { $1 }
        return try await onOwnThread {
            try ChildProcess(
                "/usr/bin/env", [program] + arguments, environment: environment, folder: folder.path, errors: -1
            ).finish()
        }
    }

    /// Says what a package's tests left out.
    static func showSkipped(_ output: String) {
        for line in output.split(separator: "\n") where line.contains("skipped:") { print(line) }
    }
}

/// The sources of the project.
private enum SourceFolder {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
}

private func withTemporaryFolder(_ body: (URL) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "spark-clients-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try await body(folder)
}

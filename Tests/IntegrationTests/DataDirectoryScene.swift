import Foundation
import SparkClient
import SparkCore
import SparkTestSupport

/// Two matched people on a server whose data directory is mistreated.
struct DataDirectoryScene {
    let directory: String
    private(set) var conversation = ""
    private(set) var tokens: [String] = []

    static let settings = ["--set", "http.credentials_per_minute=0", "--set", "http.writes_per_minute=0"]

    init(_ directory: String) { self.directory = directory }

    /// In a copy of a directory that was prepared once for all tests: registering costs a second for each password.
    static func matched(_ directory: String) async throws -> DataDirectoryScene {
        let prepared = try await PreparedDirectory.shared.get()
        try await shell("cp -a \(prepared.directory) \(directory)")
        var scene = DataDirectoryScene(directory)
        (scene.conversation, scene.tokens) = (prepared.conversation, prepared.tokens)
        return scene
    }

    /// Takes the people of another scene, whose data this directory has.
    mutating func take(_ other: DataDirectoryScene) { (conversation, tokens) = (other.conversation, other.tokens) }

    func serve(_ arguments: [String] = []) async throws -> SparkProcess {
        try await SparkProcess.serve(["--data", directory] + Self.settings + arguments)
    }

    /// The output of `spark serve` when it ends by itself.
    func refusal(_ arguments: [String] = []) async throws -> SparkProcess.Finished {
        try await SparkProcess.run(["serve", "--listen", "127.0.0.1:0", "--data", directory] + arguments)
    }

    func check() async throws -> SparkProcess.Finished { try await SparkProcess.run(["check", "--data", directory]) }

    fileprivate mutating func match(on spark: SparkProcess) async throws {
        let pair = try await spark.client.matchedPair("Ann", "Ben")
        tokens = [pair.first.token, pair.second.token]
        conversation = pair.conversation.wire
    }

    func say(_ texts: [String], on spark: SparkProcess) async throws {
        let client = SparkClient(patient: spark.url, token: tokens[0])
        for text in texts {
            _ = try await client.call(
                "POST", "/api/v1/conversations/\(conversation)/messages",
                json: ["client_id": .string(text), "text": .string(text)] as JSONValue)
        }
    }

    func texts(on spark: SparkProcess) async throws -> [String] {
        var (items, next): ([JSONValue], String?) = ([], "")
        while let before = next {
            let page = try await SparkClient(patient: spark.url, token: tokens[1]).call(
                "GET", "/api/v1/conversations/\(conversation)/messages?limit=100\(before)")
            items += page["items"]?.array ?? []
            next = page["next_cursor"]?.string.map { "&cursor=\($0)" }
        }
        return items.compactMap { $0["text"]?.string }.reversed()
    }

    /// The name of the history of events, as devices see it.
    func epoch(on spark: SparkProcess) async throws -> String {
        let answer = try await SparkClient(patient: spark.url, token: tokens[1]).call("GET", "/api/v1/poll?offset=0")
        return answer["epoch"]?.string ?? "none"
    }

    /// Every file by its path: content and times.
    func fingerprint() throws -> [String: String] {
        var found: [String: String] = [:]
        let root = URL(filePath: directory)
        for case let file as URL in FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil) ?? .init() {
            let attributes = try FileManager.default.attributesOfItem(atPath: file.path)
            let content = (try? Data(contentsOf: file)).map { "\($0.count) \($0.hashValue)" } ?? ""
            found[file.path] = "\(content) \(attributes[.modificationDate] ?? "") \(attributes[.posixPermissions] ?? "")"
        }
        return found
    }

    /// Runs a command and fails if the command fails.
    static func shell(_ command: String) async throws {
        let finished = try await onOwnThread { try ChildProcess("/bin/sh", ["-ec", command], errors: -1).finish() }
        if finished.status != 0 { throw ShellFailed(output: finished.output) }
    }

    struct ShellFailed: Error { let output: String }
}

/// Makes the data directory that tests copy, at first use, and again before its tokens expire.
private actor PreparedDirectory {
    static let shared = PreparedDirectory()
    /// A part of the time that access tokens are valid.
    private static let shelfLife = Duration.seconds(300)

    private var made: (at: ContinuousClock.Instant, scene: Task<DataDirectoryScene, any Error>)?

    func get() async throws -> DataDirectoryScene {
        if let made, made.at.duration(to: .now) < Self.shelfLife { return try await made.scene.value }
        let scene = Task {
            var scene = DataDirectoryScene(try Self.folder())
            let spark = try await scene.serve()
            try await scene.match(on: spark)
            guard await spark.end(SIGTERM) == 0 else { throw DataDirectoryScene.ShellFailed(output: spark.log) }
            return scene
        }
        made = (.now, scene)
        return try await scene.value
    }

    /// Removed with all in it when the tests end.
    private static let parent: String = {
        let url = FileManager.default.temporaryDirectory.appending(path: "spark-prepared-\(UUID().uuidString)")
        atexit { try? FileManager.default.removeItem(atPath: PreparedDirectory.parent) }
        return url.path
    }()

    private static func folder() throws -> String {
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
        return "\(parent)/\(UUID().uuidString)"
    }
}

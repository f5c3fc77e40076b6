import Foundation
import Testing

@testable import SparkBackup

@Suite("The configuration of a bucket")
struct S3ConfigurationTests {
    private static let environment = [
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "veryHiddenKey", "AWS_SESSION_TOKEN": "veryHiddenToken",
    ]

    private func configuration(
        _ place: String, _ more: [String: String] = [:], _ change: (inout S3Settings) -> Void = { _ in }
    ) throws -> S3Configuration {
        var settings = S3Settings(environment: Self.environment.merging(more) { $1 })
        change(&settings)
        return try S3Configuration(place, settings)
    }

    @Test(
        "addresses by host at AWS and by path elsewhere, unless it is told",
        arguments: [
            ("s3://town/a/b", [:], "https://town.s3.us-east-1.amazonaws.com", "a/b/"),
            ("s3://town", ["AWS_DEFAULT_REGION": "eu-west-1"], "https://town.s3.eu-west-1.amazonaws.com", ""),
            (
                "s3://town/", ["AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "x"], "https://town.s3.eu-west-1.amazonaws.com",
                ""
            ),
            ("s3://my.town/a", [:], "https://s3.us-east-1.amazonaws.com/my.town", "a/"),
            ("s3://town/a", ["AWS_ENDPOINT_URL": "http://127.0.0.1:9000"], "http://127.0.0.1:9000/town", "a/"),
            (
                "s3://town/a/", ["AWS_ENDPOINT_URL_S3": "https://S3.example.org:443/", "AWS_ENDPOINT_URL": "http://x"],
                "https://s3.example.org/town", "a/"
            ), ("s3://town", ["AWS_ENDPOINT_URL": "https://example.org/storage/s3"], "https://example.org/storage/s3/town", ""),
            ("s3://town", ["AWS_ENDPOINT_URL": "http://[::1]:9000"], "http://[::1]:9000/town", ""),
        ])
    func addresses(_ place: String, _ environment: [String: String], _ address: String, _ prefix: String) throws {
        let configuration = try configuration(place, environment)
        #expect("\(configuration.urlScheme)://\(configuration.host)\(configuration.basePath)" == address)
        #expect(configuration.prefix == prefix)
        #expect(configuration.description == (place.hasSuffix("/") ? String(place.dropLast()) : place))
    }

    @Test("takes the addressing from the settings")
    func addressing() throws {
        let byHost = try configuration("s3://town", ["AWS_ENDPOINT_URL": "https://example.org:9000"]) { $0.addressing = .host }
        #expect(byHost.host == "town.example.org:9000" && byHost.basePath == "")
        let byPath = try configuration("s3://town") { $0.addressing = .path }
        #expect(byPath.host == "s3.us-east-1.amazonaws.com" && byPath.basePath == "/town")
    }

    @Test(
        "refuses a place that is none, without repeating it",
        arguments: [
            "town", "s3:/town", "s3://", "s3:///a", "s3://key:secret@town/a", "s3://to wn", "s3://town//a", "s3://town/../a",
            "s3://town/.",
            "s3://town?x=secret", "s3://.", "s3://town/a\nb", "s3://" + String(repeating: "a", count: 300),
        ])
    func places(_ place: String) {
        let error = #expect(throws: BackupStoreError.self) { try configuration(place) }
        #expect(!"\(error as Any)".contains("secret"))
    }

    @Test(
        "says which setting is missing or wrong",
        arguments: [
            (["AWS_ACCESS_KEY_ID": ""], "AWS_ACCESS_KEY_ID"), (["AWS_SECRET_ACCESS_KEY": ""], "AWS_SECRET_ACCESS_KEY"),
            (["AWS_REGION": "eu west"], "AWS_REGION"), (["AWS_ENDPOINT_URL": "example.org:9000"], "AWS_ENDPOINT_URL"),
            (["AWS_ENDPOINT_URL": "ftp://example.org"], "AWS_ENDPOINT_URL"),
            (["AWS_ENDPOINT_URL": "https://a:veryHiddenKey@example.org"], "AWS_ENDPOINT_URL"),
            (["AWS_ENDPOINT_URL": "https://example.org?a"], "AWS_ENDPOINT_URL"),
            (["AWS_ENDPOINT_URL": "https://"], "AWS_ENDPOINT_URL"),
            (["AWS_SECRET_ACCESS_KEY": "veryHidden\r\nKey"], "blanks"),
        ])
    func faults(_ environment: [String: String], _ word: String) {
        let error = #expect(throws: BackupStoreError.self) { try configuration("s3://town", environment) }
        #expect("\(error as Any)".contains(word))
        #expect(!"\(error as Any)".contains("veryHidden"))
    }

    @Test("reads the secret key from a file, and says which file cannot be read")
    func secretFile() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "spark-secret-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("fileKey\n".utf8).write(to: file)
        var settings = S3Settings()
        (settings.accessKey, settings.secretKeyFile) = ("AKIA", file.path)
        #expect(try S3Configuration("s3://town", settings).credentials.secretKey == "fileKey")
        settings.secretKeyFile = file.path + "-missing"
        let error = #expect(throws: BackupStoreError.self) { try S3Configuration("s3://town", settings) }
        #expect("\(error as Any)".contains(file.path + "-missing"))
    }

    @Test("fills gaps from the environment, but never mixes two keys")
    func filling() {
        let environment = S3Settings(environment: Self.environment.merging(["AWS_REGION": "eu-west-1"]) { $1 })
        var settings = S3Settings()
        settings.endpoint = "https://example.org"
        let filled = settings.filled(from: environment)
        #expect(filled.endpoint == "https://example.org" && filled.region == "eu-west-1" && filled.secretKey == "veryHiddenKey")
        (settings.accessKey, settings.secretKeyFile) = ("mine", "/nowhere")
        let own = settings.filled(from: environment)
        #expect(own.accessKey == "mine" && own.secretKey == nil && own.sessionToken == nil && own.region == "eu-west-1")
    }

    @Test(
        "a place with a key in it is refused, and no message repeats it",
        arguments: [
            "s3://AKIACANARY:veryHiddenKey@town/a", "s3://AKIACANARY:very/Hidden/Key@town/a", "s3:/AKIACANARY:veryHiddenKey@town",
            "s3:veryHiddenKey@town", "S3://AKIACANARY:veryHiddenKey@town", "https://AKIACANARY:veryHiddenKey@example.org/town",
            "veryHiddenKey://town", "s3://town/a?key=AKIACANARY&secret=veryHiddenKey", "s3://town/AKIACANARY:veryHiddenKey@a",
        ])
    func placesWithKeys(_ place: String) {
        for environment in [Self.environment, [:]] {
            let error = #expect(throws: BackupError.self) { try BackupStores.open(place, environment: environment) }
            let text = "\(error as Any) \(BackupStores.shown(place))"
            for word in ["veryHidden", "AKIACANARY", "very/Hidden"] { #expect(!text.contains(word), "\(text)") }
        }
    }

    @Test("is that of the settings, and where they say nothing, of the environment")
    func opening() throws {
        var settings = S3Settings()
        #expect(throws: BackupError.self) { try BackupStores.open("s3://town/a", bucket: settings, environment: [:]) }
        #expect(
            try BackupStores.open("s3://town/a", bucket: settings, environment: Self.environment).description == "s3://town/a")
        let file = FileManager.default.temporaryDirectory.appending(path: "spark-secret-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("fileKey\n".utf8).write(to: file)
        (settings.accessKey, settings.secretKeyFile) = ("AKIA", file.path)
        #expect(try BackupStores.open("s3://town", bucket: settings, environment: [:]).description == "s3://town")
        for (place, shown) in [("/mnt/a", "/mnt/a"), ("s3://town/a", "s3://town/a"), ("ftp://x", "ftp://")] {
            #expect(BackupStores.shown(place) == shown)
        }
    }

    @Test("shows no secret when it is described, dumped or interpolated")
    func secrecy() throws {
        let settings = S3Settings(environment: Self.environment)
        let configuration = try S3Configuration("s3://town", settings)
        let store = try S3Store(configuration)
        var text = "\(settings) \(configuration) \(store) \(configuration.credentials) "
        for value in [settings, configuration, configuration.credentials] as [Any] {
            dump(value, to: &text)
            text += String(reflecting: value)
        }
        #expect(!text.contains("veryHidden") && !text.contains("AKIAEXAMPLE"))
    }

    @Test("has parts of at least 16 MiB, and at most 10,000 of them")
    func partSizes() {
        let limits = S3Limits()
        let mebibyte: Int64 = 1 << 20
        for size in [64 * mebibyte + 1, 160_000 * mebibyte, 160_000 * mebibyte + 1, 5 * mebibyte * mebibyte] {
            let part = limits.partSize(of: size)
            #expect(part >= 16 * mebibyte && part % mebibyte == 0)
            #expect((size + part - 1) / part <= 10_000)
        }
        #expect(limits.partSize(of: 1_024 * mebibyte) == 16 * mebibyte)
    }
}

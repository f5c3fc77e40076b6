import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import SparkCore
import SparkTestSupport
import Testing

@testable import SparkBackup

/// A `moto_server`, which is S3 in memory.
final class MotoServer: Sendable {
    static let isInstalled = MotoProcess.isInstalled
    static let why: Comment = "moto_server is not installed"

    @TaskLocal static var current: MotoServer?

    let credentials: S3Credentials
    private let process: MotoProcess

    var url: String { process.url }

    private init(credentials: S3Credentials, process: MotoProcess) { (self.credentials, self.process) = (credentials, process) }

    /// - Parameter checksSignatures: whether it checks every signature, with AWS's own code (botocore). It misreads then what is
    ///   percent-encoded in a query, also what AWS's own clients send; so names must be simple.
    static func start(checksSignatures: Bool) async throws -> MotoServer {
        let process = try await MotoProcess.start()
        do {
            let server = MotoServer(credentials: try await makeKey(process.url), process: process)
            if checksSignatures {
                _ = try await send("POST", "\(process.url)/moto-api/reset-auth", [("content-type", "text/plain")], "0")
            }
            return server
        } catch {
            await process.stop()
            throw error
        }
    }

    func stop() async { await process.stop() }

    /// A new, empty bucket.
    func bucket() async throws -> String {
        let name = "bucket-\(UUID().uuidString.lowercased())"
        let host = String(url.dropFirst("http://".count))
        let request = SignatureV4.Request("PUT", host: host, path: "/\(name)")
        _ = try await Self.send("PUT", "\(url)/\(name)", signature("s3").headers(of: request, at: KernelClock().now()))
        return name
    }

    private func signature(_ service: String) -> SignatureV4 { SignatureV4(credentials, region: "us-east-1", service: service) }

    func store(
        _ place: String, limits: S3Limits = S3Limits(), clock: any WallClock = KernelClock(),
        _ change: (inout S3Settings) -> Void = { _ in }
    ) throws -> S3Store {
        var settings = S3Settings()
        settings.endpoint = url
        (settings.accessKey, settings.secretKey) = (credentials.accessKey, credentials.secretKey)
        change(&settings)
        return try S3Store(S3Configuration("s3://\(place)", settings), limits: limits, clock: clock)
    }

    /// A user who may do everything with buckets.
    private static func makeKey(_ url: String) async throws -> S3Credentials {
        let policy = #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#
        let encoded = policy.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        var answer: [UInt8] = []
        for form in [
            "Action=CreateUser&UserName=spark", "Action=PutUserPolicy&UserName=spark&PolicyName=all&PolicyDocument=\(encoded)",
            "Action=CreateAccessKey&UserName=spark",
        ] {
            answer = try await send(
                "POST", "\(url)/",
                [
                    ("content-type", "application/x-www-form-urlencoded"),
                    (
                        "authorization",
                        "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/iam/aws4_request,SignedHeaders=host,Signature=0"
                    ),
                ], "\(form)&Version=2010-05-08")
        }
        let key = S3Document(answer)?.all("CreateAccessKeyResult").first?.all("AccessKey").first
        return S3Credentials(accessKey: try #require(key?["AccessKeyId"]), secretKey: try #require(key?["SecretAccessKey"]))
    }

    @discardableResult
    private static func send(
        _ method: String, _ url: String, _ headers: [(name: String, value: String)], _ body: String = ""
    ) async throws -> [UInt8] {
        var request = HTTPClientRequest(url: url)
        request.method = HTTPMethod(rawValue: method)
        request.headers = HTTPHeaders(headers.map { ($0.name, $0.value) })
        request.body = .bytes(Array(body.utf8))
        let response = try await HTTPClient.shared.execute(request, timeout: .minutes(10))
        let bytes = Array(try await response.body.collect(upTo: 1 << 20).readableBytesView)
        try #require(response.status == .ok, "\(String(decoding: bytes, as: UTF8.self))")
        return bytes
    }
}

/// Runs one server for all tests of a suite.
struct MotoTrait: SuiteTrait, TestScoping {
    var checksSignatures = false

    func provideScope(for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void) async throws {
        let server = try await MotoServer.start(checksSignatures: checksSignatures)
        do {
            try await MotoServer.$current.withValue(server) { try await function() }
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }
}

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import SparkCore
import SparkFiles
import Synchronization

/// Sends signed requests to a bucket, again when they fail for the moment.
final class S3Client: Sendable {
    struct Request: Sendable {
        var method: HTTPMethod
        /// The object; nil for the bucket itself.
        var name: String?
        var query: [(name: String, value: String)] = []
        var headers: [(name: String, value: String)] = []
        var body = Body.none
    }

    enum Body: Sendable {
        case none
        case bytes([UInt8])
        case file(S3File, Range<Int64>, digest: String)
    }

    struct Answer: Sendable {
        let headers: HTTPHeaders
        let body: [UInt8]

        /// Some storage answers 200 and says in the body that it failed.
        func checkSuccess(in bucket: String) throws(S3Fault) {
            guard let document = S3Document(body), document.name == "Error" else { return }
            throw S3Fault(.internalServerError, headers, body: body, bucket: bucket, name: nil)
        }
    }

    let configuration: S3Configuration
    let limits: S3Limits
    private let clock: any WallClock
    private let random: any RandomSource
    private let signature: SignatureV4
    private let client: HTTPClient
    private let hasSwept = Mutex(false)

    /// Reads the file of trusted certificates, if there is one: blocks on the disk.
    init(
        _ configuration: S3Configuration, _ limits: S3Limits, clock: any WallClock, random: any RandomSource
    ) throws(BackupStoreError) {
        (self.configuration, self.limits, self.clock, self.random) = (configuration, limits, clock, random)
        signature = SignatureV4(configuration.credentials, region: configuration.region)
        var settings = HTTPClient.Configuration(
            tlsConfiguration: try Self.tls(configuration.trustedRootsFile), redirectConfiguration: .disallow,
            // The client's own bound on writing does not see a peer that reads nothing; see `send`.
            timeout: .init(
                connect: .milliseconds(limits.connect.milliseconds), read: .milliseconds(limits.idle.milliseconds)))
        settings.httpVersion = .http1Only
        // There are attempts here.
        settings.connectionPool.retryConnectionEstablishment = false
        settings.connectionPool.idleTimeout = .seconds(30)
        client = HTTPClient(eventLoopGroup: MultiThreadedEventLoopGroup.singleton, configuration: settings)
    }

    /// The connections end by themselves with the last use of the store.
    deinit { client.shutdown(queue: .global()) { _ in } }

    private static func tls(_ rootsFile: String?) throws(BackupStoreError) -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        guard let rootsFile else { return tls }
        let bytes: [UInt8]
        do throws(NamedFile.Refusal) {
            bytes = try NamedFile.contents(of: rootsFile, atMost: S3Configuration.longestRootsFile)
        } catch {
            throw .refused("the file of trusted certificates, \(rootsFile), cannot be read: \(error)")
        }
        guard let certificates = try? NIOSSLCertificate.fromPEMBytes(bytes), !certificates.isEmpty else {
            throw .refused("the file of trusted certificates, \(rootsFile), has none (PEM)")
        }
        tls.additionalTrustRoots = [.certificates(certificates)]
        return tls
    }

    /// Sends a request until it succeeds, and reads the answer.
    /// - Throws: `BackupStoreError` or `CancellationError`.
    func answer(_ request: Request) async throws -> Answer {
        try await retrying { try await self.once(request) }
    }

    /// Sends a request once, and reads the answer.
    /// - Throws: `S3Fault` or `CancellationError`.
    func once(_ request: Request) async throws -> Answer {
        try await exchange(request) { Answer(headers: $0.headers, body: try await self.body(of: $0)) }
    }

    /// Sends a request once, and gives the answer to a reader if it is a success.
    /// - Throws: `S3Fault` or `CancellationError`.
    func exchange<Value>(_ request: Request, reading: (HTTPClientResponse) async throws -> Value) async throws -> Value {
        do {
            let response = try await send(request)
            guard (200..<300).contains(response.status.code) else {
                // What the answer says is of use, not needed.
                let body = try? await body(of: response)
                let isQuestion = [.GET, .HEAD, .DELETE].contains(request.method)
                throw S3Fault(
                    response.status, response.headers, body: body ?? [], bucket: configuration.bucket,
                    name: isQuestion ? request.name : nil)
            }
            return try await reading(response)
        } catch {
            try Task.checkCancellation()
            throw S3Fault(error, host: configuration.host)
        }
    }

    private func body(of response: HTTPClientResponse) async throws -> [UInt8] {
        var body: [UInt8] = []
        try await read(response) { buffer in
            guard body.count + buffer.readableBytes <= S3Limits.longestAnswer else {
                throw S3Fault.temporary("the storage's answer is too long")
            }
            body += buffer.readableBytesView
        }
        return body
    }

    /// Reads the body of an answer, if it comes fast enough.
    func read(_ response: HTTPClientResponse, _ body: (ByteBuffer) async throws -> Void) async throws {
        let start = ContinuousClock.now
        var count: Int64 = 0
        for try await buffer in response.body {
            count += Int64(buffer.readableBytes)
            try await body(buffer)
            guard ContinuousClock.now - start <= limits.longest(count) else {
                throw S3Fault.temporary("\(configuration.host) was too slow")
            }
        }
    }

    /// Sends a request, and watches that the storage takes the body.
    private func send(_ request: Request) async throws -> HTTPClientResponse {
        var outgoing = outgoing(request)
        guard case .file(let file, let range, _) = request.body else {
            return try await client.execute(outgoing, timeout: .milliseconds(limits.longest(0).milliseconds))
        }
        let pulse = S3Pulse()
        outgoing.body = .stream(file.bytes(range, pulse), length: .known(Int64(range.count)))
        let (client, limits, body) = (client, limits, outgoing)
        return try await withThrowingTaskGroup(of: HTTPClientResponse?.self) { group in
            group.addTask {
                try await client.execute(body, timeout: .milliseconds(limits.longest(Int64(range.count)).milliseconds))
            }
            group.addTask {
                while pulse.pause < limits.idle { try await Task.sleep(for: limits.idle - pulse.pause) }
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let response = first else {
                throw S3Fault.temporary("\(self.configuration.host) was too slow")
            }
            return response
        }
    }

    /// Notes that abandoned uploads are aborted now.
    /// - Returns: whether they were before.
    func noteSweep() -> Bool {
        hasSwept.withLock { hasSwept in
            defer { hasSwept = true }
            return hasSwept
        }
    }

    /// The time of signatures.
    var now: Timestamp { clock.now() }

    /// The signed request, without its body if that is a file.
    private func outgoing(_ request: Request) -> HTTPClientRequest {
        let key = request.name.map { configuration.prefix + $0 } ?? ""
        var signed = SignatureV4.Request(
            request.method.rawValue, host: configuration.host, path: "\(configuration.basePath)/\(key)")
        signed.query = request.query
        signed.headers = request.headers
        switch request.body {
        case .none: break
        case .bytes(let bytes): signed.bodyDigest = S3Store.digest(of: bytes)
        case .file(_, _, let digest): signed.bodyDigest = digest
        }
        var outgoing = HTTPClientRequest(url: "\(configuration.urlScheme)://\(configuration.host)\(signed.target)")
        outgoing.method = request.method
        outgoing.headers = HTTPHeaders(signature.headers(of: signed, at: now).map { ($0.name, $0.value) })
        // Not signed, as AWS advises: proxies may change it.
        outgoing.headers.add(name: "user-agent", value: "spark")
        if case .bytes(let bytes) = request.body { outgoing.body = .bytes(bytes) }
        return outgoing
    }

    /// Repeats attempts that fail for the moment, with growing pauses.
    func retrying<Value>(_ attempt: () async throws -> Value) async throws -> Value {
        var failures = 0
        while true {
            do {
                return try await attempt()
            } catch S3Fault.final(let error) {
                throw error
            } catch S3Fault.changed {
                throw BackupStoreError.unavailable("the object changed while it was read")
            } catch S3Fault.temporary(let reason, let after, let lasting) {
                failures += 1
                guard failures < limits.attempts else {
                    throw lasting ?? BackupStoreError.unavailable("\(reason), in \(failures) attempts")
                }
                try await Task.sleep(for: pause(failures, after))
            }
        }
    }

    private func pause(_ failures: Int, _ wanted: Duration?) -> Duration {
        let full = limits.firstPause * (1 << min(failures - 1, 16))
        let share = Double(random.next() >> 11) / Double(1 << 53)
        return min(max(full / 2 + full / 2 * share, wanted ?? .zero), limits.longestPause)
    }
}

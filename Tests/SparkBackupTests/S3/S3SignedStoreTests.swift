import Foundation
import Testing

@testable import SparkBackup

@Suite(
    "A bucket of S3-compatible storage that checks signatures", .enabled(if: MotoServer.isInstalled, MotoServer.why),
    MotoTrait(checksSignatures: true))
struct S3SignedStoreTests {
    private let moto: MotoServer
    private let folder = TemporaryFolder()

    init() throws { moto = try #require(MotoServer.current) }

    @Test("accepts every kind of request")
    func requests() async throws {
        var limits = S3Limits()
        (limits.longestSinglePut, limits.partBytes) = (6 << 20, 5 << 20)
        let store = try await moto.store(moto.bucket(), limits: limits)
        try await store.check()
        let content = AgeTests.bytes((6 << 20) + 1)
        try await store.put(folder.file(content), as: "a-b_c.1/long")
        try await store.put(folder.file([1]), as: "short")
        let copy = folder.url
        try await store.get("a-b_c.1/long", into: copy)
        #expect(try Data(contentsOf: copy) == Data(content))
        try await store.delete("short")
        #expect(try await store.list("") == [StoredObject(name: "a-b_c.1/long", size: Int64(content.count))])
        #expect(try await store.abortUploads() == 0)
    }

    @Test("refuses a wrong key and a bucket that does not exist")
    func refusals() async throws {
        let bucket = try await moto.bucket()
        func fault(_ place: String, _ change: (inout S3Settings) -> Void = { _ in }) async throws -> String {
            let store = try moto.store(place, change)
            let error = await #expect(throws: BackupStoreError.self) { try await store.check() }
            guard case .refused(let text) = error else { return "not refused: \(error as Any)" }
            return text
        }
        #expect(try await fault("no-such-bucket").contains("there is no bucket no-such-bucket (404 NoSuchBucket)"))
        #expect(
            try await fault(bucket) { $0.secretKey = "wrong" }.contains("does not accept the key (403 SignatureDoesNotMatch)"))
        #expect(
            try await fault(bucket) { $0.accessKey = "AKIAWRONG" }.contains("does not accept the key (403 InvalidAccessKeyId)"))
    }
}

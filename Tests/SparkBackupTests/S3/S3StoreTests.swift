import Foundation
import NIOHTTP1
import SparkCore
import Testing

@testable import SparkBackup

@Suite("A bucket of S3-compatible storage", .enabled(if: MotoServer.isInstalled, MotoServer.why), MotoTrait())
struct S3StoreTests {
    private let moto: MotoServer
    private let folder = TemporaryFolder()

    init() throws { moto = try #require(MotoServer.current) }

    @Test(
        "returns what was stored, under odd prefixes, too",
        arguments: ["", "/town", "/odd names/é+&%25 ='(x)*$,;:@!~/<b>\"#?", "/日本/\u{301}"])
    func roundTrip(_ prefix: String) async throws {
        let store = try await moto.store(moto.bucket() + prefix)
        for (index, name) in ["a", "archive/2026-03-01/00-1_2.age", "A.b-c_d", "a/b", "ab"].enumerated() {
            let content = AgeTests.bytes([0, 1, 5_000, 300_000, 1 << 20][index])
            try await store.put(folder.file(content), as: name)
            let copy = folder.url
            try await store.get(name, into: copy)
            #expect(Array(try Data(contentsOf: copy)) == content, "\(name)")
        }
        let sizes = ["A.b-c_d": 5_000, "a": 0, "a/b": 300_000, "ab": 1 << 20, "archive/2026-03-01/00-1_2.age": 1]
        let all = sizes.map { StoredObject(name: $0.key, size: Int64($0.value)) }.sorted { $0.name < $1.name }
        #expect(try await store.list("") == all)
        #expect(try await store.list("a").map(\.name) == ["a", "a/b", "ab", "archive/2026-03-01/00-1_2.age"])
        #expect(try await store.list("a/").map(\.name) == ["a/b"])
        #expect(try await store.list("nothing") == [])
        try await store.delete("a")
        try await store.delete("a")
        #expect(try await store.list("a").map(\.name) == ["a/b", "ab", "archive/2026-03-01/00-1_2.age"])
        await #expect(throws: BackupStoreError.missing("a")) { try await store.get("a", into: folder.url) }
        try await store.check()
        #expect(try await store.list("").count == 4, "the check leaves nothing")
    }

    @Test("replaces an object")
    func replace() async throws {
        let store = try await moto.store(moto.bucket())
        try await store.put(folder.file([1, 2, 3]), as: "a")
        try await store.put(folder.file([4]), as: "a")
        let copy = folder.url
        try await store.get("a", into: copy)
        #expect(Array(try Data(contentsOf: copy)) == [4])
        #expect(try await store.list("") == [StoredObject(name: "a", size: 1)])
    }

    @Test("lists more objects than one page has, sorted, and without those of others")
    func pages() async throws {
        let bucket = try await moto.bucket()
        let (store, other) = (try moto.store(bucket + "/town"), try moto.store(bucket + "/town2"))
        let file = try folder.file([7])
        let names = (0..<1_005).map { "n/\($0)" }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for part in 0..<8 {
                group.addTask {
                    for name in names[(part * 126)..<min((part + 1) * 126, names.count)] { try await store.put(file, as: name) }
                }
            }
            try await group.waitForAll()
        }
        try await other.put(file, as: "x")
        // A name that no backup has, put there by somebody else.
        try await moto.store(bucket + "/town/notes of Ann").put(file, as: "x")
        #expect(try await store.list("n/") == names.sorted().map { StoredObject(name: $0, size: 1) })
        #expect(try await store.list("").count == 1_005)
        #expect(try await other.list("").map(\.name) == ["x"])
    }

    @Test("stores long files in parts")
    func parts() async throws {
        var limits = S3Limits()
        (limits.longestSinglePut, limits.partBytes) = (6 << 20, 5 << 20)
        let store = try await moto.store(moto.bucket() + "/a b", limits: limits)
        for size in [6 << 20, (6 << 20) + 1, 10 << 20, (10 << 20) + 12_345] {
            let content = AgeTests.bytes(size, seed: UInt64(size))
            try await store.put(folder.file(content), as: "long")
            let copy = folder.url
            try await store.get("long", into: copy)
            #expect(try Data(contentsOf: copy) == Data(content))
            #expect(try await store.list("") == [StoredObject(name: "long", size: Int64(size))])
        }
        #expect(try await store.abortUploads() == 0, "no upload is left")
    }

    @Test("aborts uploads that never ended, when they are old enough")
    func sweep() async throws {
        let bucket = try await moto.bucket()
        var settings = S3Settings()
        settings.endpoint = moto.url
        (settings.accessKey, settings.secretKey) = (moto.credentials.accessKey, moto.credentials.secretKey)
        for place in ["town", "town/deep", "other"] {
            let configuration = try S3Configuration("s3://\(bucket)/\(place)", settings)
            let client = try S3Client(configuration, S3Limits(), clock: KernelClock(), random: SystemRandomSource())
            _ = try await client.answer(.init(method: .POST, name: "x", query: [("uploads", "")]))
        }
        // The server says of every upload that it began in 2010.
        let store = try moto.store(bucket + "/town")
        #expect(try await store.abortUploads(olderThan: .days(365_000)) == 0)
        #expect(try await store.abortUploads() == 2)
        #expect(try await store.abortUploads() == 0)
        #expect(try await moto.store(bucket + "/other").abortUploads() == 1)
    }

    @Test(
        "refuses names that a backup's objects cannot have",
        arguments: ["", "/a", "a/", "a//b", "../a", "a/./b", "a b", "é", "a?b"])
    func names(_ name: String) async throws {
        let store = try moto.store("bucket")
        await #expect(throws: BackupStoreError.self) { try await store.put(folder.file([1]), as: name) }
        await #expect(throws: BackupStoreError.self) { try await store.get(name, into: folder.url) }
        await #expect(throws: BackupStoreError.self) { try await store.delete(name) }
    }
}

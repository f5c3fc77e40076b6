import Crypto
import Foundation
import NIOHTTP1
import SparkCore
import SparkTestSupport
import Synchronization
import Testing

@testable import SparkBackup

@Suite("A bucket that fails")
struct S3FaultTests {
    typealias Reply = HostileBucket.Reply

    private let folder = TemporaryFolder()
    private static let content = AgeTests.bytes(100_000)
    private static let digest = SHA256.hash(data: content).hexadecimal

    /// Runs a test with a server, and checks that no error has a secret.
    private func with(
        atHead: Bool = false, _ script: @escaping @Sendable (Int, HostileBucket.Received) -> Reply,
        _ body: (HostileBucket) async throws -> Void
    ) async throws {
        let bucket = try await HostileBucket(atHead: atHead, script)
        do { try await body(bucket) } catch {
            await bucket.stop()
            throw error
        }
        await bucket.stop()
    }

    /// The error of an operation, in words.
    private func fault(_ operation: () async throws -> Void) async -> String {
        let error = await #expect(throws: BackupStoreError.self) { try await operation() }
        let text =
            switch error {
            case .missing(let text)?: "missing: \(text)"
            case .refused(let text)?: "refused: \(text)"
            case .damaged(let text)?: "damaged: \(text)"
            case .unavailable(let text)?: "unavailable: \(text)"
            case nil: "no error"
            }
        #expect(!text.contains("veryHidden") && !text.contains("AKIAEXAMPLE"))
        return text
    }

    // MARK: Answers other than success

    @Test("is asked again until it answers well", arguments: [500, 502, 503, 504, 429, 408])
    func recovers(_ status: Int) async throws {
        try await with({ number, _ in number < 4 ? .error(status, "SlowDown", "", [("Retry-After", "0")]) : .answer(200) }) {
            bucket in
            let file = try folder.file(Self.content)
            try await bucket.store().put(file, as: "a")
            #expect(bucket.received.count == 5)
            for request in bucket.received {
                #expect(request.method == "PUT" && request.target == "/bucket/p/a" && request.body == Self.content)
                #expect(request.headers["x-amz-content-sha256"] == [Self.digest])
                #expect(request.headers["x-amz-meta-sha256"] == [Self.digest])
                #expect(request.headers["x-amz-security-token"] == ["veryHiddenToken"])
            }
        }
    }

    @Test("counts as unavailable when it does not recover, with the code")
    func unavailable() async throws {
        try await with({ _, _ in .error(503, "SlowDown") }) { bucket in
            let file = try folder.file([1])
            let fault = await fault { try await bucket.store().put(file, as: "a") }
            #expect(fault == "unavailable: the storage answered 503 SlowDown, in 5 attempts")
            #expect(bucket.received.count == 5)
        }
    }

    @Test(
        "is believed at once when it refuses for good, and the words say what to do",
        arguments: [
            (403, "AccessDenied", "", "the key needs the rights"), (403, "RequestTimeTooSkewed", "", "the clock of this machine"),
            (403, "SignatureDoesNotMatch", "<AWSAccessKeyId>AKIAEXAMPLE</AWSAccessKeyId>", "does not accept the key"),
            (400, "ExpiredToken", "", "does not accept the key"), (404, "NoSuchBucket", "", "there is no bucket bucket"),
            (400, "AuthorizationHeaderMalformed", "<Region>eu-west-3</Region>", "AWS_REGION to eu-west-3"),
            (301, "PermanentRedirect", "<Endpoint>x</Endpoint>", "correct backup.s3_region or backup.s3_endpoint"),
            (400, "InvalidRequest", "", "refused the request (400 InvalidRequest)"),
            (507, "XMinioStorageFull", "", "the storage is full"),
            (501, "NotImplemented", "", "not compatible"), (418, "a b veryHiddenKey", "", "refused the request (418)"),
            (403, "", "", "the key needs the rights"), (404, "", "", "correct the place or the endpoint"),
            (400, "AuthorizationHeaderMalformed", "<Region>a b\n</Region>", "correct backup.s3_region or backup.s3_endpoint"),
        ])
    func final(_ status: Int, _ code: String, _ more: String, _ words: String) async throws {
        try await with({ _, _ in .error(status, code, more) }) { bucket in
            let file = try folder.file([1])
            let put = await fault { try await bucket.store().put(file, as: "a") }
            #expect(put.hasPrefix("refused: ") && put.contains(words), "\(put)")
            let list = await fault { _ = try await bucket.store().list("") }
            #expect(list.hasPrefix("refused: ") && list.contains(words), "\(list)")
            #expect(bucket.received.count == 2)
        }
    }

    @Test("that is elsewhere is not followed", arguments: [301, 302, 307, 308])
    func redirects(_ status: Int) async throws {
        try await with({ _, _ in .answer(200) }) { target in
            let port = target.port
            try await with({ _, _ in
                .error(
                    status, "Redirect", "",
                    [("Location", "http://127.0.0.1:\(port)/bucket/p/a"), ("x-amz-bucket-region", "ap-south-1")])
            }) { bucket in
                let file = try folder.file([1])
                let fault = await fault { try await bucket.store().put(file, as: "a") }
                #expect(
                    fault.contains("the bucket bucket is in the region ap-south-1") && fault.contains("AWS_REGION to ap-south-1")
                )
                // A request without a body could be sent again.
                for operation in [
                    { _ = try await bucket.store().list("") }, { try await bucket.store().get("a", into: folder.url) },
                ] {
                    let fault = await self.fault { try await operation() }
                    #expect(fault.contains("AWS_REGION to ap-south-1"), "\(fault)")
                }
                #expect(bucket.received.count == 3 && target.received.isEmpty)
            }
        }
    }

    // MARK: Connections

    @Test("that cannot be reached is unavailable")
    func unreachable() async throws {
        let bucket = try await HostileBucket { _, _ in .answer(200) }
        let store = try bucket.store()
        await bucket.stop()
        let fault = await fault { _ = try await store.list("") }
        #expect(fault.contains("could be opened, in 5 attempts"), "\(fault)")
    }

    @Test("that closes connections without an answer is asked again", arguments: [true, false])
    func closes(_ atHead: Bool) async throws {
        let file = try folder.file(AgeTests.bytes(4 << 20))
        try await with(atHead: atHead, { _, _ in .close }) { bucket in
            let fault = await fault { try await bucket.store().put(file, as: "a") }
            #expect(fault.contains("unavailable") && fault.contains("was lost, in 5 attempts"), "\(fault)")
            #expect(bucket.received.count == 5)
        }
        try await with({ number, _ in number == 0 ? .close : .answer(200) }) { bucket in
            try await bucket.store().put(file, as: "a")
            #expect(bucket.received.count == 2)
        }
    }

    @Test("that does not answer, or reads nothing, is given up")
    func stuck() async throws {
        let file = try folder.file(AgeTests.bytes(16 << 20))
        for atHead in [false, true] {
            try await with(atHead: atHead, { _, _ in .hang }) { bucket in
                let store = try bucket.store { ($0.idle, $0.attempts) = (.milliseconds(150), 2) }
                let fault = await fault { try await store.put(file, as: "a") }
                #expect(fault.contains("was too slow, in 2 attempts"), "\(fault)")
            }
        }
    }

    @Test("that sends one byte after the other, or stops in the middle, is given up", arguments: [Reply.Ending.drip, .hang])
    func slow(_ ending: Reply.Ending) async throws {
        try await with({ _, _ in .answer(200, [], [1, 2, 3], length: 1 << 20, then: ending) }) { bucket in
            let store = try bucket.store { ($0.idle, $0.leastBytesPerSecond, $0.attempts) = (.milliseconds(150), 1 << 20, 2) }
            let get = await fault { try await store.get("a", into: folder.url) }
            #expect(get.contains("was too slow, in 2 attempts"), "\(get)")
            let list = await fault { _ = try await store.list("") }
            #expect(list.contains("was too slow, in 2 attempts"), "\(list)")
            #expect(folder.contents.isEmpty, "no draft is left")
        }
    }

    @Test("lets go of a cancelled task")
    func cancellation() async throws {
        try await with({ _, _ in .answer(200, [], [1], length: 100, then: .hang) }) { bucket in
            let (store, url) = (try bucket.store(), folder.url)
            let task = Task { try await store.get("a", into: url) }
            try await until("the request arrives", every: .milliseconds(1)) { !bucket.received.isEmpty }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(folder.contents.isEmpty)
        }
    }

    // MARK: Downloads

    private static func whole(_ headers: [(String, String)] = [("ETag", "\"1\""), ("x-amz-meta-sha256", digest)]) -> Reply {
        .answer(200, headers, content)
    }

    @Test("that breaks off is asked for the rest of the same object")
    func resumes() async throws {
        let headers = [("ETag", "\"1\""), ("x-amz-meta-sha256", Self.digest)]
        try await with({ number, received in
            // What is asked for, of which not all comes at first.
            let start = received.headers["range"].first.flatMap { Int($0.dropFirst("bytes=".count).dropLast()) } ?? 0
            let rest = Array(Self.content[start...])
            return switch number {
            case 0: .answer(200, headers, Array(rest[..<40_000]), length: 100_000, then: .close)
            case 1: .error(500, "InternalError")
            case 2...3:
                .answer(
                    206, headers + [("Content-Range", "bytes \(start)-99999/100000")], Array(rest[..<20_000]), length: rest.count,
                    then: .close)
            default: .answer(206, headers + [("Content-Range", "bytes \(start)-99999/100000")], rest)
            }
        }) { bucket in
            let url = folder.url
            try await bucket.store().get("a", into: url)
            #expect(Array(try Data(contentsOf: url)) == Self.content)
            let requests = bucket.received.map(\.headers)
            #expect(requests.count == 5 && requests[0]["range"].isEmpty && requests[0]["if-match"].isEmpty)
            for request in requests.dropFirst() where !request["range"].isEmpty { #expect(request["if-match"] == ["\"1\""]) }
            #expect(requests[4]["range"] != ["bytes=0-"] && !requests[4]["range"].isEmpty, "the last asked for a rest")
        }
    }

    @Test("is asked for all of it again when the rest is of another object, or is another part")
    func changes() async throws {
        for second in [
            Reply.error(412, "PreconditionFailed"), .error(416, "InvalidRange"), Self.whole(),
            .answer(206, [("Content-Range", "bytes 0-99999/100000")], Self.content),
            .answer(206, [("Content-Range", "nonsense")], Self.content), .answer(206, [], Self.content),
        ] {
            try await with({ number, received in
                switch number {
                case 0: .answer(200, [("ETag", "\"0\"")], [1, 2, 3, 4], length: 5, then: .close)
                case 1: second
                default: received.headers["range"].isEmpty ? Self.whole() : .error(416, "InvalidRange")
                }
            }) { bucket in
                let url = folder.url
                try await bucket.store().get("a", into: url)
                #expect(Array(try Data(contentsOf: url)) == Self.content)
            }
        }
    }

    @Test("that always breaks off is unavailable, and leaves no file")
    func truncated() async throws {
        try await with({ _, _ in .answer(200, [], Array(Self.content[..<50_000]), length: 100_000, then: .close) }) { bucket in
            let fault = await fault { try await bucket.store().get("a", into: folder.url) }
            #expect(fault.contains("unavailable"), "\(fault)")
            #expect(bucket.received.count == 5 && folder.contents.isEmpty)
            #expect(
                bucket.received.allSatisfy { $0.headers["range"].isEmpty }, "without a tag, the rest may be of another object")
        }
    }

    @Test("that does not say how long an object is, and has no checksum of it, is not believed")
    func noLength() async throws {
        let body = Array(String(decoding: [0x61], as: UTF8.self).utf8)
        try await with({ _, _ in Reply(bytes: Array("HTTP/1.1 200 OK\r\n\r\n".utf8) + body, ending: .close) }) { bucket in
            let fault = await fault { try await bucket.store().get("a", into: folder.url) }
            #expect(fault.contains("does not say how long"), "\(fault)")
            #expect(folder.contents.isEmpty)
        }
    }

    @Test("that returns something else than was stored is found by the checksum")
    func damaged() async throws {
        var changed = Self.content
        changed[77_777] ^= 4
        let wrong = Reply.answer(200, [("ETag", "\"1\""), ("x-amz-meta-sha256", Self.digest)], changed)
        try await with({ _, _ in wrong }) { bucket in
            let fault = await fault { try await bucket.store().get("a", into: folder.url) }
            #expect(fault.contains("damaged") && fault.contains("a does not match its checksum"), "\(fault)")
            #expect(bucket.received.count == 5 && folder.contents.isEmpty)
        }
        try await with({ number, _ in number == 0 ? wrong : Self.whole() }) { bucket in
            let url = folder.url
            try await bucket.store().get("a", into: url)
            #expect(Array(try Data(contentsOf: url)) == Self.content)
        }
    }

    @Test("that has no such object says so at once")
    func missing() async throws {
        try await with({ _, _ in .error(404, "NoSuchKey") }) { bucket in
            let store = try bucket.store()
            await #expect(throws: BackupStoreError.missing("a")) { try await store.get("a", into: folder.url) }
            try await store.delete("a")
            #expect(bucket.received.count == 2 && folder.contents.isEmpty)
        }
    }

    // MARK: Lists

    private static func page(_ keys: [String], next: String?) -> Reply {
        let entries = keys.map { "<Contents><Key>\($0)</Key><Size>1</Size></Contents>" }.joined()
        let end = next.map { "<IsTruncated>true</IsTruncated><NextContinuationToken>\($0)</NextContinuationToken>" } ?? ""
        return .text(200, "<ListBucketResult>\(entries)\(end)</ListBucketResult>")
    }

    @Test("whose pages are cut off, of another kind or unreadable is asked again, then unavailable")
    func unreadablePages() async throws {
        let whole = "<ListBucketResult><Contents><Key>p/a</Key><Size>1</Size></Contents></ListBucketResult>"
        for text in [String(whole.dropLast()), "", "<Error><Code>x</Code></Error>", "<html>"] {
            try await with({ number, _ in number < 2 ? .text(200, text) : .text(200, whole) }) { bucket in
                let objects = try await bucket.store().list("")
                #expect(objects.map(\.name) == ["a"])
                #expect(bucket.received.count == 3)
            }
        }
        for entry in ["<Key>p/a</Key>", "<Key>p/a</Key><Size>x</Size>", "<Size>1</Size>", "<Key>q/a</Key><Size>1</Size>"] {
            try await with({ _, _ in .text(200, "<ListBucketResult><Contents>\(entry)</Contents></ListBucketResult>") }) {
                bucket in
                let fault = await fault { _ = try await bucket.store().list("") }
                #expect(fault.contains("is not readable"), "\(fault)")
            }
        }
    }

    @Test("whose pages never end is not followed for ever")
    func endlessPages() async throws {
        try await with({ _, _ in Self.page([], next: "again") }) { bucket in
            let fault = await fault { _ = try await bucket.store().list("") }
            #expect(fault.contains("has no end"), "\(fault)")
            #expect(bucket.received.count == 2)
        }
        try await with({ _, _ in .text(200, "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>") }) { bucket in
            let fault = await fault { _ = try await bucket.store().list("") }
            #expect(fault.contains("has no end"), "\(fault)")
        }
        try await with({ number, _ in Self.page([], next: "\(number)") }) { bucket in
            let fault = await fault { _ = try await bucket.store().list("") }
            #expect(fault.contains("has no end"), "\(fault)")
            #expect(bucket.received.count == S3Limits.mostEmptyPages)
        }
        try await with({ number, _ in Self.page(["p/\(number)"], next: "\(number)") }) { bucket in
            let fault = await fault { _ = try await bucket.store { $0.mostObjects = 20 }.list("") }
            #expect(fault.contains("more than 20 objects"), "\(fault)")
            #expect(bucket.received.count == 21)
        }
        try await with({ _, _ in .text(200, String(repeating: "x", count: 9 << 20)) }) { bucket in
            let fault = await fault { _ = try await bucket.store { $0.attempts = 1 }.list("") }
            #expect(fault.contains("too long"), "\(fault)")
        }
    }

    @Test("is asked for the next page with the token, encoded")
    func tokens() async throws {
        try await with({ number, _ in number == 0 ? Self.page(["p/b"], next: "1/a+b==") : Self.page(["p/a"], next: nil) }) {
            bucket in
            let objects = try await bucket.store().list("")
            #expect(objects.map(\.name) == ["a", "b"])
            #expect(
                bucket.received.map(\.target) == [
                    "/bucket/?list-type=2&prefix=p%2F", "/bucket/?continuation-token=1%2Fa%2Bb%3D%3D&list-type=2&prefix=p%2F",
                ])
        }
    }

    // MARK: Uploads in parts

    /// A bucket that takes uploads in parts; `change` may answer first.
    private func withParts(
        _ change: @escaping @Sendable (String, HostileBucket.Received) -> Reply?,
        _ body: (HostileBucket, S3Store) async throws -> Void
    ) async throws {
        let counts = Mutex<[String: Int]>([:])
        try await with({ _, received in
            let kind =
                switch received.method {
                case "POST" where received.target.hasSuffix("?uploads="): "begin"
                case "PUT": "part"
                case "POST": "complete"
                case "DELETE": "abort"
                case "GET": "uploads"
                default: "head"
                }
            let count = counts.withLock {
                $0[kind, default: 0] += 1
                return $0[kind] ?? 0
            }
            if let reply = change("\(kind) \(count)", received) { return reply }
            return switch kind {
            case "begin": .text(200, "<InitiateMultipartUploadResult><UploadId>u/1</UploadId></InitiateMultipartUploadResult>")
            case "part": .answer(200, [("ETag", "\"t\(received.body.count)&\"")])
            case "complete":
                .text(200, "<?xml version=\"1.0\"?>\n\n <CompleteMultipartUploadResult></CompleteMultipartUploadResult>")
            case "abort": .answer(204)
            case "uploads": .text(200, "<ListMultipartUploadsResult></ListMultipartUploadsResult>")
            default: .error(404, "NoSuchKey")
            }
        }) { bucket in
            try await body(bucket, try bucket.store { ($0.longestSinglePut, $0.partBytes) = (1 << 20, 1 << 20) })
        }
    }

    private static let long = AgeTests.bytes((2 << 20) + 10)

    @Test("gets every part, with its own digest, and the list of parts")
    func parts() async throws {
        try await withParts({ kind, _ in kind == "part 2" ? .error(500, "InternalError") : nil }) { bucket, store in
            try await store.put(folder.file(Self.long), as: "a")
            let parts = bucket.received.filter { $0.method == "PUT" }
            #expect(parts.map(\.target) == [1, 2, 2, 3].map { "/bucket/p/a?partNumber=\($0)&uploadId=u%2F1" })
            #expect([0, 2, 3].flatMap { parts[$0].body } == Self.long)
            for part in parts { #expect(part.headers["x-amz-content-sha256"] == [SHA256.hash(data: part.body).hexadecimal]) }
            #expect(
                bucket.received.first { $0.method == "POST" }?.headers["x-amz-meta-sha256"] == [
                    SHA256.hash(data: Self.long).hexadecimal
                ])
            let last = try #require(bucket.received.last)
            #expect(
                String(decoding: last.body, as: UTF8.self).contains(
                    "<Part><PartNumber>3</PartNumber><ETag>&quot;t10&amp;&quot;</ETag></Part></CompleteMultipartUpload>"))
        }
    }

    @Test("gets aborts of abandoned uploads that are a day old, page by page, before the first upload in parts")
    func abandoned() async throws {
        func page(_ uploads: [(key: String, id: String, time: String)], next: String?) -> Reply {
            let entries = uploads.map {
                "<Upload><Key>\($0.key)</Key><UploadId>\($0.id)</UploadId><Initiated>\($0.time)</Initiated></Upload>"
            }
            let end = next.map {
                "<IsTruncated>true</IsTruncated><NextKeyMarker>\($0)</NextKeyMarker><NextUploadIdMarker>m</NextUploadIdMarker>"
            }
            return .text(200, "<ListMultipartUploadsResult>\(entries.joined())\(end ?? "")</ListMultipartUploadsResult>")
        }
        let recent = "\(KernelClock().now() - .hours(23))"
        let old = "\(KernelClock().now() - .hours(25))"
        let pages = [
            page(
                [("p/old", "1", old), ("p/recent", "2", recent), ("other/old", "3", old), ("p/odd", "4", "long ago")], next: "p/k"
            ),
            page([("p/gone", "5", old)], next: nil),
        ]
        try await withParts({ kind, received in
            switch kind {
            case "uploads 1": pages[0]
            case "uploads 2": pages[1]
            case let kind where kind.hasPrefix("abort") && received.target.hasSuffix("uploadId=5"): .error(404, "NoSuchUpload")
            default: nil
            }
        }) { bucket, store in
            try await store.put(folder.file(Self.long), as: "a")
            try await store.put(folder.file(Self.long), as: "a")
            #expect(
                bucket.received.prefix(4).map { "\($0.method) \($0.target)" } == [
                    "GET /bucket/?prefix=p%2F&uploads=", "DELETE /bucket/p/old?uploadId=1",
                    "GET /bucket/?key-marker=p%2Fk&prefix=p%2F&upload-id-marker=m&uploads=", "DELETE /bucket/p/gone?uploadId=5",
                ])
            #expect(bucket.received.filter { $0.method == "GET" }.count == 2)
        }
    }

    @Test("gets an abort when a part is refused, or when it never succeeds", arguments: [403, 500])
    func aborts(_ status: Int) async throws {
        try await withParts({ kind, _ in kind.hasPrefix("part") && kind != "part 1" ? .error(status, "X") : nil }) {
            bucket, store in
            let file = try folder.file(Self.long)
            _ = await fault { try await store.put(file, as: "a") }
            #expect(bucket.received.last?.method == "DELETE" && bucket.received.last?.target == "/bucket/p/a?uploadId=u%2F1")
            #expect(!bucket.received.contains { $0.method == "POST" && !$0.target.hasSuffix("uploads=") })
        }
    }

    @Test("may answer 200 and then an error: that is no success, of a short file neither")
    func errorOfSuccess() async throws {
        let late = Reply.text(200, "<?xml version=\"1.0\"?>\n<Error><Code>InternalError</Code></Error>")
        let file = try folder.file(Self.content)
        try await with({ number, _ in number == 0 ? late : .answer(200) }) { bucket in
            try await bucket.store().put(file, as: "a")
            #expect(bucket.received.count == 2)
        }
        try await with({ _, _ in late }) { bucket in
            let fault = await fault { try await bucket.store().put(file, as: "a") }
            #expect(fault.contains("InternalError, in 5 attempts"), "\(fault)")
        }
        try await withParts({ kind, _ in kind.hasPrefix("part") ? late : nil }) { _, store in
            let file = try folder.file(Self.long)
            let fault = await fault { try await store.put(file, as: "a") }
            #expect(fault.contains("InternalError, in 5 attempts"), "\(fault)")
        }
    }

    @Test("may answer 200 and then an error: that is no success")
    func lateError() async throws {
        let late = "<?xml version=\"1.0\"?>\n<Error><Code>InternalError</Code></Error>"
        try await withParts({ kind, _ in kind == "complete 1" ? .text(200, late) : nil }) { bucket, store in
            try await store.put(folder.file(Self.long), as: "a")
            #expect(bucket.received.filter { $0.method == "POST" }.count == 3)
        }
        try await withParts({ kind, _ in kind.hasPrefix("complete") ? .text(200, late) : nil }) { bucket, store in
            let file = try folder.file(Self.long)
            let fault = await fault { try await store.put(file, as: "a") }
            #expect(fault.contains("InternalError, in 5 attempts"), "\(fault)")
            #expect(bucket.received.last?.method == "DELETE")
        }
    }

    @Test("whose answer about the end is lost is asked whether the object is there")
    func lostAnswer() async throws {
        let digest = SHA256.hash(data: Self.long).hexadecimal
        for isThere in [true, false] {
            try await withParts({ kind, _ in
                switch kind {
                case "complete 1": .close
                case let kind where kind.hasPrefix("complete"): .error(404, "NoSuchUpload")
                case let kind where kind.hasPrefix("head") && isThere: .answer(200, [("x-amz-meta-sha256", digest)])
                default: nil
                }
            }) { bucket, store in
                let file = try folder.file(Self.long)
                if isThere {
                    try await store.put(file, as: "a")
                    #expect(bucket.received.last?.method == "HEAD")
                } else {
                    let fault = await fault { try await store.put(file, as: "a") }
                    #expect(fault.contains("ended without an object"), "\(fault)")
                }
            }
        }
    }

    @Test("whose upload another program aborts is unavailable")
    func abortedElsewhere() async throws {
        try await withParts({ kind, _ in kind == "part 2" ? .error(404, "NoSuchUpload") : nil }) { _, store in
            let file = try folder.file(Self.long)
            let fault = await fault { try await store.put(file, as: "a") }
            #expect(fault.contains("unavailable") && fault.contains("ended by another program"))
        }
    }
}

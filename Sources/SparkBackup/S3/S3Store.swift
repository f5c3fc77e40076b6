import AsyncHTTPClient
import Crypto
public import Foundation
import NIOCore
import NIOHTTP1
public import SparkCore

/// A bucket of S3-compatible storage, with everything below one prefix.
///
/// Requests are signed (Signature Version 4) and cover the body's SHA-256, which is also stored with the object (`x-amz-meta-sha256`)
/// and compared after a download. Failures that pass are tried again, with growing pauses. Every transfer has a bound on how long it
/// may stand still and on its average speed. Files are read and written in pieces of 256 KiB, on threads for blocking work.
public final class S3Store: BackupStore, CustomStringConvertible {
    private static let digestHeader = "x-amz-meta-sha256"
    private static let contentType = (name: "content-type", value: "application/octet-stream")

    private let client: S3Client
    private var limits: S3Limits { client.limits }

    /// Creates a store. Nothing is sent yet. Reads the file of trusted certificates, if there is one: blocks on the disk.
    /// - Parameters:
    ///   - clock: for the time in signatures, which must be right by some minutes.
    ///   - random: for the pauses between attempts.
    /// - Throws: `BackupStoreError.refused` if there is no certificate in the file.
    public init(
        _ configuration: S3Configuration, limits: S3Limits = S3Limits(), clock: any WallClock = KernelClock(),
        random: any RandomSource = SystemRandomSource()
    ) throws(BackupStoreError) {
        client = try S3Client(configuration, limits, clock: clock, random: random)
    }

    /// `s3://bucket/prefix`.
    public var description: String { client.configuration.description }

    /// Stores a file, in parts if it is long. Readers see the old object or the complete new one. The file is read twice. Before the
    /// first upload in parts, abandoned ones are aborted; see `abortUploads`.
    public func put(_ file: URL, as name: String) async throws {
        try Self.check(name)
        let file = try await S3File.open(file.path)
        if file.size > limits.longestSinglePut {
            // Best effort: what is left costs money, not backups.
            if !client.noteSweep() { _ = try? await abortUploads() }
            try await S3Upload(client, file, name: name, contentType: Self.contentType, digestHeader: Self.digestHeader).run()
        } else {
            let digest = try await file.digests(partSize: max(file.size, 1)).whole
            let request = S3Client.Request(
                method: .PUT, name: name, headers: [Self.contentType, (Self.digestHeader, digest)],
                body: .file(file, 0..<file.size, digest: digest))
            try await client.retrying { try await client.once(request).checkSuccess(in: client.configuration.bucket) }
        }
    }

    /// Copies an object into a file, which appears under its name when it is complete and on the disk. A download that breaks off
    /// is continued where it ended.
    public func get(_ name: String, into file: URL) async throws {
        try Self.check(name)
        let download = try await S3Download.begin(file.path)
        do {
            let progress = S3Progress()
            try await client.retrying { try await self.fetch(name, download, progress) }
            try await download.finish()
        } catch {
            await download.discard()
            throw error
        }
    }

    /// One attempt to fetch an object or the rest of it.
    private func fetch(_ name: String, _ download: S3Download, _ progress: S3Progress) async throws {
        if download.count == 0 || download.count != progress.size {
            do {
                try await fetchRest(of: name, download, progress)
            } catch S3Fault.changed {
                progress.forget()
                throw S3Fault.temporary("\(name) changed while it was read")
            }
        }
        guard progress.digest == nil || progress.digest == download.digest else {
            progress.forget()
            let words = "\(name) does not match its checksum: it is damaged in the storage or on the way"
            throw S3Fault.temporary(words, lasting: .damaged(words))
        }
    }

    private func fetchRest(of name: String, _ download: S3Download, _ progress: S3Progress) async throws {
        var request = S3Client.Request(method: .GET, name: name)
        // Without a tag, what comes may be of another object.
        if download.count > 0, let tag = progress.tag {
            request.headers = [("range", "bytes=\(download.count)-"), ("if-match", tag)]
        }
        try await client.exchange(request) { response in
            let isRest = response.status == .partialContent
            if !isRest, download.count > 0 { try await download.reset() }
            try progress.note(response.headers, isRest: isRest, at: download.count)
            try await client.read(response) { buffer in
                if let size = progress.size, download.count + Int64(buffer.readableBytes) > size {
                    throw S3Fault.temporary("the storage sent more of \(name) than it has")
                }
                try await download.append(buffer)
            }
        }
        if let size = progress.size, download.count != size {
            throw S3Fault.temporary("the storage sent \(download.count) of \(size) bytes of \(name)")
        }
    }

    /// The objects whose names begin with a prefix. Objects with names that no backup has are left out.
    public func list(_ prefix: String) async throws -> [StoredObject] {
        let ours = client.configuration.prefix
        var objects: [StoredObject] = []
        var next: String?
        var emptyPages = 0
        repeat {
            var query = [("list-type", "2"), ("prefix", ours + prefix)].map { (name: $0.0, value: $0.1) }
            if let next { query.append(("continuation-token", next)) }
            let page = try await document("ListBucketResult", .init(method: .GET, query: query))
            let contents = page.all("Contents")
            emptyPages = contents.isEmpty ? emptyPages + 1 : 0
            for entry in contents {
                guard let key = entry["Key"], let size = entry["Size"].flatMap({ Int64($0) }), key.hasPrefix(ours + prefix),
                    0...S3Limits.longestObject ~= size
                else {
                    throw BackupStoreError.unavailable("the storage's list of objects is not readable")
                }
                let name = String(key.dropFirst(ours.count))
                if Self.isName(name) { objects.append(StoredObject(name: name, size: size)) }
            }
            guard objects.count <= limits.mostObjects else {
                throw BackupStoreError.refused("there are more than \(limits.mostObjects) objects in \(description)")
            }
            let following = page["IsTruncated"] == "true" ? page["NextContinuationToken"] : nil
            // The same token again would never end, nor would pages without objects.
            guard following == nil || following != next && emptyPages < S3Limits.mostEmptyPages,
                page["IsTruncated"] != "true" || following != nil
            else {
                throw BackupStoreError.unavailable("the storage's list of objects has no end")
            }
            next = following
        } while next != nil
        return objects.sorted { $0.name < $1.name }
    }

    /// Deletes an object. A bucket with versions keeps the old ones: its own rules delete them.
    public func delete(_ name: String) async throws {
        try Self.check(name)
        do {
            _ = try await client.answer(.init(method: .DELETE, name: name))
        } catch BackupStoreError.missing {
            // It is gone.
        }
    }

    /// Writes, lists, reads and deletes a small object.
    /// - Throws: `BackupStoreError` with the reason why the bucket cannot be used.
    public func check() async throws {
        let content = Array("Spark checks that this bucket can be used.\n".utf8)
        let name = "spark-check-\(UUID().uuidString)"
        let request = S3Client.Request(
            method: .PUT, name: name, headers: [Self.contentType, (Self.digestHeader, Self.digest(of: content))],
            body: .bytes(content))
        _ = try await client.answer(request)
        do {
            guard try await list(name) == [StoredObject(name: name, size: Int64(content.count))] else {
                throw BackupStoreError.refused("\(description) does not list an object that was just written")
            }
            guard try await client.answer(.init(method: .GET, name: name)).body == content else {
                throw BackupStoreError.refused("\(description) returns something else than what was written")
            }
        } catch {
            // The first error counts.
            try? await delete(name)
            throw error
        }
        try await delete(name)
    }

    /// Aborts uploads below the prefix that began longer ago and never ended; a bucket charges for their parts.
    /// - Returns: how many.
    /// - Throws: `BackupStoreError`.
    @discardableResult
    public func abortUploads(olderThan age: Duration = .days(1)) async throws -> Int {
        var (count, pages, markers) = (0, 0, [(name: String, value: String)]())
        let oldest = client.now - age
        while true {
            let query = [(name: "uploads", value: ""), (name: "prefix", value: client.configuration.prefix)] + markers
            let page = try await document("ListMultipartUploadsResult", .init(method: .GET, query: query))
            for upload in page.all("Upload") {
                guard let key = upload["Key"], let id = upload["UploadId"],
                    let start = upload["Initiated"].flatMap(Timestamp.init(s3:)),
                    key.hasPrefix(client.configuration.prefix), start <= oldest
                else { continue }
                let name = String(key.dropFirst(client.configuration.prefix.count))
                do {
                    _ = try await client.answer(.init(method: .DELETE, name: name, query: [("uploadId", id)]))
                    count += 1
                } catch BackupStoreError.missing {
                    // It ended meanwhile.
                }
            }
            guard page["IsTruncated"] == "true" else { return count }
            let following = [("key-marker", page["NextKeyMarker"]), ("upload-id-marker", page["NextUploadIdMarker"])]
                .compactMap { name, value in value.map { (name: name, value: $0) } }
            pages += 1
            guard !following.isEmpty, following.map(\.value) != markers.map(\.value), pages < S3Limits.mostEmptyPages else {
                throw BackupStoreError.unavailable("the storage's list of uploads has no end")
            }
            markers = following
        }
    }

    /// The answer as a document of a kind.
    private func document(_ kind: String, _ request: S3Client.Request) async throws -> S3Document {
        try await client.retrying {
            let answer = try await client.once(request)
            // An answer that ended too early is no whole document.
            guard let document = S3Document(answer.body), document.name == kind else {
                throw S3Fault.temporary("the storage's answer is not readable")
            }
            return document
        }
    }

    static func digest(of bytes: [UInt8]) -> String { SHA256.hash(data: bytes).hexadecimal }

    /// Whether it is a name as `BackupStore` describes them.
    private static func isName(_ name: String) -> Bool {
        name.utf8.count <= 512
            && name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
                part != "." && part != ".." && part.isPlain(or: ".-_")
            }
    }

    private static func check(_ name: String) throws(BackupStoreError) {
        guard isName(name) else { throw .refused("an object of a backup cannot have this name") }
    }
}

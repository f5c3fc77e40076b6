import Foundation
import NIOHTTP1

/// Uploads a long file in parts. The object appears when the last request succeeds; a failure before aborts the upload.
struct S3Upload {
    private let client: S3Client
    private let file: S3File
    private let name: String
    private let contentType: (name: String, value: String)
    private let digestHeader: String

    init(_ client: S3Client, _ file: S3File, name: String, contentType: (name: String, value: String), digestHeader: String) {
        (self.client, self.file, self.name) = (client, file, name)
        (self.contentType, self.digestHeader) = (contentType, digestHeader)
    }

    func run() async throws {
        let partSize = client.limits.partSize(of: file.size)
        let digests = try await file.digests(partSize: partSize)
        let id = try await begin(digests.whole)
        do {
            var tags: [String] = []
            for (index, digest) in digests.parts.enumerated() {
                let start = Int64(index) * partSize
                tags.append(try await upload(index + 1, start..<min(start + partSize, file.size), digest, id))
            }
            try await complete(tags, digests.whole, id)
        } catch {
            let (client, request) = (client, S3Client.Request(method: .DELETE, name: name, query: [("uploadId", id)]))
            // In a task of its own, because this one may be cancelled. Best effort: a sweep aborts what stays.
            _ = await Task { try await client.once(request) }.result
            if case BackupStoreError.missing = error {
                throw BackupStoreError.unavailable("the upload of \(name) was ended by another program")
            }
            throw error
        }
    }

    private func begin(_ digest: String) async throws -> String {
        try await client.retrying {
            let answer = try await client.once(
                .init(method: .POST, name: name, query: [("uploads", "")], headers: [contentType, (digestHeader, digest)]))
            guard let document = S3Document(answer.body), document.name == "InitiateMultipartUploadResult",
                let id = document["UploadId"], !id.isEmpty, id.utf8.count <= 2_048
            else { throw S3Fault.temporary("the storage's answer is not readable") }
            return id
        }
    }

    private func upload(_ number: Int, _ range: Range<Int64>, _ digest: String, _ id: String) async throws -> String {
        let request = S3Client.Request(
            method: .PUT, name: name, query: [("partNumber", "\(number)"), ("uploadId", id)],
            body: .file(file, range, digest: digest))
        return try await client.retrying {
            let answer = try await client.once(request)
            try answer.checkSuccess(in: client.configuration.bucket)
            guard let tag = answer.headers.first(name: "etag"), !tag.isEmpty else {
                throw S3Fault.temporary("the storage's answer is not readable")
            }
            return tag
        }
    }

    private func complete(_ tags: [String], _ digest: String, _ id: String) async throws {
        let parts = tags.enumerated().map { index, tag in
            "<Part><PartNumber>\(index + 1)</PartNumber><ETag>\(Self.escaped(tag))</ETag></Part>"
        }
        let body =
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\(parts.joined())</CompleteMultipartUpload>"
        let request = S3Client.Request(
            method: .POST, name: name, query: [("uploadId", id)], headers: [("content-type", "application/xml")],
            body: .bytes(Array(body.utf8)))
        var isRepeated = false
        try await client.retrying {
            do {
                defer { isRepeated = true }
                let answer = try await client.once(request)
                // The status comes before the work is done, so that success can turn out to be a failure.
                try answer.checkSuccess(in: client.configuration.bucket)
                // Some stores call it an output.
                guard S3Document(answer.body)?.name.hasPrefix("CompleteMultipartUpload") == true else {
                    throw S3Fault.temporary("the storage's answer is not readable")
                }
            } catch S3Fault.final(.missing) where isRepeated {
                // The upload is not there any more: an attempt whose answer was lost may have completed it.
                guard try await isThere(digest) else {
                    throw S3Fault.temporary("the upload of \(name) ended without an object")
                }
            }
        }
    }

    /// Whether the object is there with this content.
    private func isThere(_ digest: String) async throws -> Bool {
        do {
            let headers = try await client.once(.init(method: .HEAD, name: name)).headers
            return headers.first(name: digestHeader) == digest
        } catch S3Fault.final(.missing) {
            return false
        }
    }

    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
    }
}

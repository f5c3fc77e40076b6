import Foundation
import SparkFiles
import Testing

@Suite("Files in memory")
struct MappedFileTests {
    private func withFolder(_ body: (String) throws -> Void) throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "spark-mapped-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: url) }
        try body(url.path)
    }

    @Test("a taken file has no name any more, and its bytes can be changed")
    func take() throws {
        try withFolder { folder in
            let path = folder + "/file"
            let content = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            try DurableFile.replace(
                path,
                parts: { write in
                    for start in stride(from: 0, to: content.count, by: 7_001) {
                        try content[start..<min(content.count, start + 7_001)].withUnsafeBytes { try write($0) }
                    }
                })
            #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
            #expect(try DurableFile.contents(of: path, atMost: 1_000_000) == content)
            let file = try #require(try MappedFile.take(path))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
            #expect(Array(file.bytes) == content)
            file.bytes[99_999] = 1
            #expect(file.bytes[99_999] == 1)
            #expect(try MappedFile.take(path) == nil)
        }
    }

    @Test("content that fails leaves the old file and no other")
    func failure() throws {
        struct Failure: Error {}
        try withFolder { folder in
            let path = folder + "/file"
            try DurableFile.replace(path, with: [1, 2, 3])
            #expect(throws: Failure.self) {
                try DurableFile.replace(
                    path,
                    parts: { write in
                        try [4, 5].withUnsafeBytes { try write($0) }
                        throw Failure()
                    })
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["file"])
            #expect(try DurableFile.contents(of: path, atMost: 10) == [1, 2, 3])
        }
    }

    @Test("only a file is taken")
    func others() throws {
        try withFolder { folder in
            let path = folder + "/file"
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/etc/hostname")
            #expect(throws: FileError.self) { try MappedFile.take(path) }
            try FileManager.default.removeItem(atPath: path)
            mkfifo(path, 0o600)
            #expect(throws: FileError.self) { try MappedFile.take(path) }
            try FileManager.default.removeItem(atPath: path)
            try DurableFile.replace(path, with: [])
            #expect(try MappedFile.take(path) == nil)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
        }
    }

    @Test("a file with another name, under which somebody could cut it off, is removed and not used")
    func names() throws {
        try withFolder { folder in
            let (path, other) = (folder + "/file", folder + "/other")
            try DurableFile.replace(path, with: [1, 2, 3])
            try FileManager.default.linkItem(atPath: path, toPath: other)
            #expect(try MappedFile.take(path) == nil)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["other"])
            #expect(try DurableFile.contents(of: other, atMost: 10) == [1, 2, 3])
        }
    }
}

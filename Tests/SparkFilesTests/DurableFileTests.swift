import Foundation
import SparkFiles
import Synchronization
import Testing

/// A folder for one test.
private func withFolder(_ body: (String) throws -> Void) throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "spark-files-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: url) }
    try body(url.path)
}

/// The system's files until the step at which the process "dies": that one and all after it fail, and nothing is tidied.
private final class DyingFiles: FileOperations {
    private let real = SystemFiles()
    private let left: Mutex<Int>
    private let log = Mutex<[String]>([])

    init(steps: Int) { left = Mutex(steps) }

    var steps: [String] { log.withLock { $0 } }

    private func step(_ name: String) throws(FileFault) {
        let isAlive = left.withLock { left in
            left -= 1
            return left >= 0
        }
        guard isAlive else { throw FileFault(code: EIO) }
        log.withLock { $0.append(name) }
    }

    func create(_ path: String) throws(FileFault) -> Int32 {
        try step("create")
        return try real.create(path)
    }
    func close(_ descriptor: Int32) { real.close(descriptor) }
    func writeWhole(_ descriptor: Int32, _ bytes: [UInt8], at offset: Int) throws(FileFault) {
        // Half of it reaches the file even if the process dies.
        try real.writeWhole(descriptor, Array(bytes.prefix(bytes.count / 2)), at: offset)
        try step("write")
        try real.writeWhole(descriptor, bytes, at: offset)
    }
    func synchronize(_ descriptor: Int32) throws(FileFault) {
        try step("synchronize")
        try real.synchronize(descriptor)
    }
    func rename(_ path: String, to newPath: String) throws(FileFault) {
        try step("rename")
        try real.rename(path, to: newPath)
    }
    func remove(_ path: String) throws(FileFault) {
        try step("remove")
        try real.remove(path)
    }
    func synchronizeDirectory(_ path: String) throws(FileFault) {
        try step("synchronize folder")
        try real.synchronizeDirectory(path)
    }
}

@Suite("A file that is replaced")
struct DurableFileTests {
    @Test("has the old content or the new one, whole, at whatever step the process dies")
    func everyStep() throws {
        try withFolder { folder in
            let path = folder + "/file"
            var steps = 0
            while true {
                try DurableFile.replace(path, with: Array("old content".utf8))
                let files = DyingFiles(steps: steps)
                let isDone: Bool
                do throws(FileFault) {
                    try files.replace(path, with: Array("new content!".utf8))
                    isDone = true
                } catch {
                    isDone = false
                }
                let content = String(decoding: try #require(try DurableFile.contents(of: path, atMost: 100)), as: UTF8.self)
                #expect(content == (files.steps.contains("rename") ? "new content!" : "old content"), "after \(files.steps)")
                if isDone {
                    #expect(files.steps == ["create", "write", "synchronize", "rename", "synchronize folder"])
                    break
                }
                steps += 1
            }
            #expect(steps == 5)
            DurableFile.sweepDrafts(in: folder)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["file"])
        }
    }

    @Test("is readable by its owner only, and a link in its place is replaced, not followed")
    func modes() throws {
        try withFolder { folder in
            try DurableFile.makeDirectory(folder + "/a/b")
            try Data("elsewhere".utf8).write(to: URL(filePath: folder + "/target"))
            symlink(folder + "/target", folder + "/a/b/file")
            try DurableFile.replace(folder + "/a/b/file", with: [1, 2, 3])
            for (path, mode) in [("/a", 0o700), ("/a/b", 0o700), ("/a/b/file", 0o600)] {
                let found = try FileManager.default.attributesOfItem(atPath: folder + path)[.posixPermissions] as? NSNumber
                #expect(found?.intValue == mode, "\(path)")
            }
            #expect(try DurableFile.contents(of: folder + "/target", atMost: 100) == Array("elsewhere".utf8))
        }
    }

    @Test("that cannot be written says why in the system's words")
    func faults() throws {
        try withFolder { folder in
            let error = #expect(throws: FileError.self) { try DurableFile.replace(folder + "/none/file", with: [1]) }
            #expect(error?.description.contains("No such file or directory (ENOENT)") == true)
            #expect(FileFault(code: ENOSPC).description == "No space left on device (ENOSPC)")
            #expect(FileFault(code: ENOSPC).isOutOfSpace)
        }
    }

    @Test("differs from its copies, and from itself after it was replaced")
    func identity() throws {
        try withFolder { folder in
            let path = folder + "/file"
            try DurableFile.replace(path, with: [1])
            let first = try #require(FileStatus(path: path)).identity
            #expect(FileIdentity("\(first)") == first)
            #expect(FileIdentity("1:2") == nil)
            try FileManager.default.moveItem(atPath: path, toPath: folder + "/moved")
            #expect(try #require(FileStatus(path: folder + "/moved")).identity == first)
            try FileManager.default.copyItem(atPath: folder + "/moved", toPath: path)
            #expect(!(try #require(FileStatus(path: path))).identity.isSame(as: first, inOneRun: true))
        }
    }
}

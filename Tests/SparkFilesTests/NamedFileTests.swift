import Foundation
import Glibc
import SparkFiles
import Testing

@Suite("Files that an operator names")
struct NamedFileTests {
    private func withFolder(_ body: (String) throws -> Void) throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "spark-named-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: url) }
        try body(url.path)
    }

    @Test("a regular file up to the limit is read, also through a link; a longer one is refused")
    func regular() throws {
        try withFolder { folder in
            try Data(repeating: 0x61, count: 100).write(to: URL(filePath: "\(folder)/file"))
            #expect(symlink("\(folder)/file", "\(folder)/link") == 0)
            for name in ["file", "link"] {
                #expect(try NamedFile.contents(of: "\(folder)/\(name)", atMost: 100).count == 100)
                #expect(throws: NamedFile.Refusal.long(99)) { try NamedFile.contents(of: "\(folder)/\(name)", atMost: 99) }
                #expect(NamedFile.refusal(of: "\(folder)/\(name)", atMost: 100) == nil)
            }
        }
    }

    @Test("what is no file is refused at once, and the reason says what it is", .timeLimit(.minutes(20)))
    func others() throws {
        try withFolder { folder in
            #expect(mkfifo("\(folder)/pipe", 0o600) == 0)
            #expect(symlink("\(folder)/loop", "\(folder)/loop") == 0)
            let kinds = [
                ("\(folder)/pipe", "a named pipe"), (folder, "a directory"), ("/dev/zero", "a device"), ("/dev/null", "a device"),
            ]
            for (path, word) in kinds {
                #expect(throws: NamedFile.Refusal.kind(word)) { try NamedFile.contents(of: path, atMost: 1 << 20) }
                #expect(NamedFile.refusal(of: path, atMost: 1 << 20) == .kind(word))
            }
            #expect(NamedFile.refusal(of: "\(folder)/none", atMost: 1) == .missing)
            #expect(NamedFile.refusal(of: "", atMost: 1) == .missing)
            #expect(NamedFile.refusal(of: "\(folder)/loop", atMost: 1) == .unreadable(FileFault(code: ELOOP)))
            #expect(NamedFile.refusal(of: "/dev/null\0/x", atMost: 1) == .unreadable(FileFault(code: EINVAL)))
            let long = "/" + String(repeating: "x", count: 5_000)
            #expect(NamedFile.refusal(of: long, atMost: 1) == .unreadable(FileFault(code: ENAMETOOLONG)))
        }
    }
}

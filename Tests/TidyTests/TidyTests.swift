import Foundation
import Testing

/// Rules about the source itself that no compiler checks. Each names what breaks it.
@Suite("The source tree")
struct TidyTests {
    @Test("is found, so that the rules below look at something")
    func found() {
        #expect(SourceTree.product.count > 200 && SourceTree.tests.count > 100)
        #expect(SourceTree.product.contains { $0.path == "Plugins/Chat/ChatModule.swift" && $0.plugin == "Chat" })
        #expect(SourceTree.product.contains { $0.imports.contains("SparkStorage") })
    }

    @Test("names GRDB only in the storage engine")
    func engine() {
        let users = SourceTree.product.filter { !$0.imports.isDisjoint(with: ["GRDB", "GRDBSQLite"]) }.map(\.path)
        #expect(users.filter { !$0.hasPrefix("Sources/SparkStorage/") } == [])
        #expect(!users.isEmpty, "the rule looks for something that is there")
    }

    @Test("has no plugin that imports another plugin")
    func plugins() {
        let names = Set(SourceTree.product.compactMap(\.plugin))
        #expect(names.count >= 6)
        for file in SourceTree.product {
            guard let own = file.plugin else { continue }
            let others = names.subtracting([own]).map { "Spark\($0)" }
            #expect(file.imports.isDisjoint(with: others), "\(file.path)")
        }
    }

    @Test("has SQL only in the Store folders of the plugins, and in their demo data")
    func statements() throws {
        let pattern = try Regex<Substring>(
            #"(?:"|^\s*)(?:SELECT [a-z(*\\]|INSERT (?:OR [A-Z]+ )?INTO [a-z]|UPDATE [a-z_]+ SET|DELETE FROM [a-z]|CREATE (?:TABLE|INDEX|TRIGGER))"#
        )
        var found = 0
        for file in SourceTree.product where file.plugin != nil {
            let lines = file.lines(with: pattern)
            if file.path.contains("/Store/") || file.path.contains("/Demo/") {
                found += lines.count
            } else {
                #expect(lines == [], "\(file.path)")
            }
        }
        #expect(found > 100, "the pattern finds statements where they are")
    }

    @Test("has no two product files with the same name")
    func names() {
        let byName = Dictionary(grouping: SourceTree.product, by: \.name)
        #expect(byName.filter { $0.value.count > 1 }.map { $0.value.map(\.path) } == [])
    }

    @Test("has the folders that the README's tree lists, and no others")
    func tree() throws {
        let readme = try String(contentsOf: SourceTree.root.appending(path: "README.md"), encoding: .utf8)
        let lines = readme.split(separator: "\n", omittingEmptySubsequences: false)
        let start = try #require(lines.firstIndex(where: { $0.hasPrefix("Package.swift ") }))
        var listed: [String: Set<String>] = [:]
        var parent = ""
        for line in lines[start...].prefix(while: { $0 != "```" }) {
            var words = line.split(separator: " ").map { String($0.hasSuffix(",") ? $0.dropLast() : $0) }
            if let first = words.first, !line.hasPrefix(" ") {
                parent = first.hasSuffix("/") ? String(first.dropLast()) : ""
                if !parent.isEmpty { words.removeFirst() }
            }
            listed[parent, default: []].formUnion(words.filter { $0.hasSuffix("/") }.map { String($0.dropLast()) })
        }
        for parent in ["Sources", "Plugins", "Tests"] {
            let entries = try FileManager.default.contentsOfDirectory(atPath: SourceTree.root.appending(path: parent).path)
            let folders = Set(entries.filter { !$0.contains(".") })
            // One entry of the tree covers the test targets.
            let named = (listed[parent] ?? []).subtracting(["<Target>Tests"])
            let expected = folders.filter { parent != "Tests" || !$0.hasSuffix("Tests") }
            #expect(named.subtracting(folders) == [], "the README lists folders of \(parent) that do not exist")
            #expect(expected.subtracting(named) == [], "the README lacks folders of \(parent)")
        }
    }

    @Test("reads the wall clock in one file")
    func wallClock() throws {
        let pattern = try Regex<Substring>(#"\bDate\(\)|\bDate\.now\b|\bCLOCK_REALTIME\b|\bgettimeofday\(|\btime\(nil\)"#)
        let readers = SourceTree.product.filter { !$0.lines(with: pattern).isEmpty }.map(\.path)
        #expect(readers == ["Sources/SparkServer/Running/SystemWallClock.swift"])
    }

    @Test("never traps: no try!, no as!, no fatalError, no forced cast of memory")
    func traps() throws {
        let pattern = try Regex<Substring>(#"\btry!|\bas!|\bfatalError\(|\bnonisolated\(unsafe\)"#)
        for file in SourceTree.product { #expect(file.lines(with: pattern) == [], "\(file.path)") }
    }

    @Test("says beside each unchecked Sendable what guards it")
    func unchecked() throws {
        let pattern = try Regex<Substring>(#"@unchecked Sendable"#)
        var found = 0
        for file in SourceTree.product {
            for number in file.lines(with: pattern) {
                found += 1
                #expect(try Self.namesGuard(file.lines, number), "\(file.path):\(number)")
            }
        }
        #expect(found > 10, "the rule looks for something that is there")
    }

    @Test(
        "accepts for an unchecked Sendable only a comment that names its guard",
        arguments: [
            ("// Each table is behind its lock.\nextension A: @unchecked Sendable {}", true),
            ("// The event loop guards every\n// variable.\n@usableFromInline\nfinal class A: @unchecked Sendable {", true),
            ("struct A: @unchecked Sendable {  // filled before it is shared, never changed", true),
            ("extension A: @unchecked Sendable {}", false),
            ("struct A: @unchecked Sendable {  // as `B`", false),
            ("/// Everything is under its lock.\nstruct A: @unchecked Sendable {", false),
            ("// The lock of another type.\n\nextension A: @unchecked Sendable {}", false),
        ])
    func guards(_ source: String, _ isAccepted: Bool) throws {
        let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(try Self.namesGuard(lines, lines.count) == isAccepted)
    }

    /// Whether a comment names what makes an unchecked type safe. The comment is on the line itself or directly above it; a
    /// documentation comment does not count, because it says what a type is for.
    private static func namesGuard(_ lines: [Substring], _ number: Int) throws -> Bool {
        let guards = try Regex<Substring>(
            #"\b(?:lock|atomics?|event loop|thread|never changed?|constant|only reference)\b"#)
        let code = lines[..<(number - 1)].map { $0.drop { $0 == " " } }
        let above = code.reversed().drop { $0.hasPrefix("@") }.prefix { $0.hasPrefix("//") && !$0.hasPrefix("///") }
        let beside = lines[number - 1].firstRange(of: "//").map { lines[number - 1][$0.upperBound...] }
        return (above + (beside.map { [$0] } ?? [])).contains { $0.firstMatch(of: guards) != nil }
    }

    @Test("does not refer to anything outside of it, and leaves no note to do something later")
    func references() throws {
        let pattern = try Regex<Substring>(#"\b(?:TO(?:DO)|FIX(?:ME)|XX(?:X)|HAC(?:K))\b|\bthe seeds(?:'| have| give| name| do)"#)
        for file in SourceTree.product + SourceTree.tests where !file.path.hasPrefix("Tests/TidyTests/") {
            let lines = file.lines.enumerated().filter { $0.element.firstMatch(of: pattern) != nil }.map { $0.offset + 1 }
            #expect(lines == [], "\(file.path)")
        }
    }

    /// Words and turns of phrase that make a sentence hard to read. Comments and texts name the subject instead.
    @Test("uses plain words")
    func words() throws {
        let words = #"\b(?:whom|whoever|thereof|therein|bears?|nobody's|stands? for|is told|are told|was told)\b"#
        let anywhere = try Regex<Substring>(words)
        let comment = try Regex<Substring>("//.*" + words)
        for (files, pattern) in [(SourceTree.product, anywhere), (SourceTree.tests, comment)] {
            for file in files where !file.path.hasPrefix("Tests/TidyTests/") {
                let lines = file.lines.enumerated().filter { $0.element.firstMatch(of: pattern) != nil }.map { $0.offset + 1 }
                #expect(lines == [], "\(file.path)")
            }
        }
    }

    /// Initializers that the compiler calls for literals, and `write(to:)` of `JSONWritable`, need no text of their own.
    @Test("documents what its libraries make public")
    func documented() throws {
        let declaration = try Regex<Substring>(
            #"^\s*public (?:static |final |mutating )*(?:func|var|let|init|struct|class|enum|protocol|typealias|subscript)\b"#)
        let inherited = try Regex<Substring>(#"\binit\([a-z]+Literal\b|\bfunc write\(to writer: inout JSONWriter\)"#)
        var described = 0
        for file in SourceTree.product where Self.libraries.contains(where: { file.path.hasPrefix("Sources/\($0)/") }) {
            let lines = file.lines
            for number in file.lines(with: declaration) {
                let above = lines[..<(number - 1)].last { !$0.drop { $0 == " " }.hasPrefix("@") } ?? ""
                if above.drop(while: { $0 == " " }).hasPrefix("///") {
                    described += 1
                } else {
                    #expect(lines[number - 1].firstMatch(of: inherited) != nil, "\(file.path):\(number)")
                }
            }
        }
        #expect(described > 900, "the pattern finds declarations where they are")
    }

    private static let libraries = ["SparkCore", "SparkKit", "SparkStorage", "SparkCache", "SparkClient", "SparkTesting"]
}

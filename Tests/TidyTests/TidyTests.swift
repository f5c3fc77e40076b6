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
            #"(?:"|^\s*)(?:SELECT [a-z(*]|INSERT (?:OR [A-Z]+ )?INTO [a-z]|UPDATE [a-z_]+ SET|DELETE FROM [a-z]|CREATE (?:TABLE|INDEX|TRIGGER))"#
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
        for file in SourceTree.product {
            let lines = file.lines
            for number in file.lines(with: pattern) {
                let around = lines[max(0, number - 3)..<min(lines.count, number + 2)]
                #expect(around.contains { $0.contains("//") }, "\(file.path):\(number)")
            }
        }
    }

    @Test("does not refer to anything outside of it, and leaves no note to do something later")
    func references() throws {
        let pattern = try Regex<Substring>(#"\b(?:TO(?:DO)|FIX(?:ME)|XX(?:X)|HAC(?:K))\b|\bthe seeds(?:'| have| give| name| do)"#)
        for file in SourceTree.product + SourceTree.tests where !file.path.hasPrefix("Tests/TidyTests/") {
            let lines = file.lines.enumerated().filter { $0.element.firstMatch(of: pattern) != nil }.map { $0.offset + 1 }
            #expect(lines == [], "\(file.path)")
        }
    }

    /// Words and turns that made comments hard to read. What there was is worked off file by file: the number may only fall.
    @Test("gets plainer from change to change")
    func words() throws {
        let pattern = try Regex<Substring>(
            #"//.*\b(?:whom|whoever|thereof|therein|bears?|nobody's|stands? for|is told|are told|was told)\b"#)
        let count = SourceTree.product.reduce(0) { sum, file in
            sum + file.lines.filter { $0.firstMatch(of: pattern) != nil }.count
        }
        #expect(count <= Self.mostOldWords, "\(count) comments in old words; no new ones")
    }

    private static let mostOldWords = 10

    /// What implements a requirement of a protocol inherits its text; those and a few plain members are the rest. It may only fall.
    @Test("documents what its libraries make public")
    func documented() throws {
        let pattern = try Regex<Substring>(
            #"^\s*public (?:static |final |mutating )*(?:func|var|let|init|struct|class|enum|protocol|typealias|subscript)\b"#)
        var (described, bare) = (0, 0)
        for file in SourceTree.product where Self.libraries.contains(where: { file.path.hasPrefix("Sources/\($0)/") }) {
            let lines = file.lines
            for number in file.lines(with: pattern) {
                let above = lines[..<(number - 1)].last { !$0.drop { $0 == " " }.hasPrefix("@") } ?? ""
                if above.drop(while: { $0 == " " }).hasPrefix("///") { described += 1 } else { bare += 1 }
            }
        }
        #expect(described > 900 && bare <= Self.mostUndocumented, "\(described) are documented, \(bare) are not")
    }

    private static let libraries = ["SparkCore", "SparkKit", "SparkStorage", "SparkCache", "SparkClient"]
    private static let mostUndocumented = 48
}

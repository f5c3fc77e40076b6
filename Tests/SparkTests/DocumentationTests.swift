import Foundation
import Spark
import Testing

@Suite("The documentation")
struct DocumentationTests {
    private func text(_ path: String) throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    @Test("data/spark.yaml is what spark config default prints")
    func defaultConfiguration() throws {
        #expect(try text("data/spark.yaml") == ConfigurationSchema(modules: sparkModules).defaultFile)
    }

    @Test("a server reads data/spark.yaml, and it changes nothing")
    func defaultConfigurationIsRead() throws {
        let schema = ConfigurationSchema(modules: sparkModules)
        let file = ("spark.yaml", try text("data/spark.yaml"))
        let read = try LoadedConfiguration(schema: schema, flags: [], environment: [:], file: file)
        for section in schema.sections {
            for setting in section.settings {
                #expect(read.value(section.name, setting.key) == setting.defaultValue, "\(section.name).\(setting.key)")
            }
        }
    }

    @Test("the example module of the documentation is the one that is compiled and tested")
    func example() throws {
        let source = try text("Tests/OutsidePackage/Sources/NotesModule/NotesModule.swift")
        #expect(try text("docs/guide/modules.md").contains("```swift\n\(source)```"))
    }

    @Test("the README's tree names every target")
    func tree() throws {
        let readme = try text("README.md")
        for folder in ["Sources", "Plugins"] {
            let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent()
            for name in try FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path) {
                #expect(readme.contains("\(name)/"), "\(folder)/\(name)")
            }
        }
    }

    @Test("Spark's own modules fit together")
    func modules() {
        #expect(ModulePlan(sparkModules).faults.isEmpty)
    }
}

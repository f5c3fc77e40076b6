import ArgumentParser
import Foundation
import Spark
import SparkFiles
import SparkFixture

/// The value of `--scenario`: the name of a built-in scenario, or a file.
enum ScenarioChoice {
    private static func isFile(_ text: String) -> Bool {
        text.contains("/") || text.hasSuffix(".yaml") || text.hasSuffix(".yml")
    }

    /// Refuses an unknown name.
    static func validate(_ text: String) throws {
        guard !isFile(text), !Scenario.names.contains(text) else { return }
        let nearest = NearestName.of(text, in: Scenario.names).map { " Did you mean \($0)?" } ?? ""
        throw ValidationError(
            "There is no scenario \(Display.text(String(text.prefix(64)))); there are \(Scenario.names.joined(separator: ", ")), "
                + "and files that end with .yaml.\(nearest)")
    }

    /// Reads a scenario.
    /// - Throws: `ConfigurationError` with the file, the place in it and what was expected there.
    static func read(_ text: String) throws -> Scenario {
        do {
            if let known = try Scenario.named(text) { return known }
            let bytes = try NamedFile.contents(of: text, atMost: Scenario.longestFile)
            let file = URL(filePath: text).lastPathComponent
            guard let content = String(validating: bytes, as: UTF8.self) else {
                throw ConfigurationError(faults: ["\(Display.text(file)): expected UTF-8 text"])
            }
            return try Scenario(name: file, file: text, text: content)
        } catch let fault as ScenarioFault {
            throw ConfigurationError(faults: [Display.text("\(fault)")])
        } catch NamedFile.Refusal.long(let limit) {
            throw ConfigurationError(faults: ["\(Display.text(text)): expected at most \(limit) bytes"])
        } catch let refusal as NamedFile.Refusal {
            throw StorageOpenError(
                operation: "read scenario", path: Display.text(String(text.prefix(256))), hint: "\(refusal)")
        }
    }
}

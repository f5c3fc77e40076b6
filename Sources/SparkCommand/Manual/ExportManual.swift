import ArgumentParser
import Foundation
import Spark
import SparkServer
import SparkStorage

struct ExportManual: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "man", abstract: "Manual pages of every verb and of spark.yaml.",
        discussion: "man -l FILE shows one; /usr/local/share/man/man1 and man5 are where man finds them.")

    @Option(name: .long, help: "The folder for the pages; it is made if it is missing.")
    var to: String

    func run() async throws {
        try await reporting {
            let pages = try ManualPages(schema: ConfigurationSchema(modules: sparkModules)).all
            try ExportedFiles.write(pages.map { ($0.file, $0.text) }, to: to)
        }
    }
}

struct ExportCompletions: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completions", abstract: "Files that let bash, zsh and fish complete verbs and options.")

    @Option(name: .long, help: "The folder for the files; it is made if it is missing.")
    var to: String

    func run() async throws {
        try await reporting {
            try ExportedFiles.write(
                [
                    ("spark", SparkCommand.completionScript(for: .bash)), ("_spark", SparkCommand.completionScript(for: .zsh)),
                    ("spark.fish", SparkCommand.completionScript(for: .fish)),
                ], to: to)
        }
    }
}

/// Writes files that an operator asked for.
enum ExportedFiles {
    /// Replaces each file as a whole, readable by everybody.
    /// - Throws: `StorageOpenError`.
    static func write(_ files: [(name: String, text: String)], to folder: String) throws {
        do {
            let manager = FileManager.default
            try manager.createDirectory(atPath: folder, withIntermediateDirectories: true)
            for (name, text) in files {
                let path = "\(folder)/\(name)"
                try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
                try manager.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
            }
        } catch {
            throw StorageOpenError(operation: "write files", path: folder, hint: "\((error as NSError).localizedDescription)")
        }
    }
}

import Foundation
import SparkKit
import SparkServer
import SparkTestSupport
import Testing

@testable import SparkCommand

@Suite("Manual pages and completions")
struct ManualTests {
    private static let groff = ["/usr/bin/groff"].first { FileManager.default.isExecutableFile(atPath: $0) }

    private func exported(_ kind: String, _ body: (String) async throws -> Void) async throws {
        try await withDataDirectory { folder in
            let answer = try await SparkProcess.run(["export", kind, "--to", "\(folder)/made"])
            #expect(answer.status == 0 && answer.output.isEmpty, "\(answer.errors)")
            try await body("\(folder)/made")
        }
    }

    @Test("there is a page for each verb with its options, and one with every setting")
    func pages() async throws {
        let help = try await SparkProcess.run(["--help"])
        try await exported("man") { folder in
            let names = Set(try FileManager.default.contentsOfDirectory(atPath: folder))
            #expect(names.isSuperset(of: ["spark.1", "spark-serve.1", "spark-user.1", "spark-doctor.1", "spark.yaml.5"]))
            for name in names where name.hasPrefix("spark-") {
                #expect(help.output.contains("  \(name.dropFirst(6).dropLast(2)) "))
                let page = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
                #expect(page.contains(".SH \"EXIT STATUS\""), "\(name)")
            }
            let serve = try String(contentsOfFile: "\(folder)/spark-serve.1", encoding: .utf8)
            #expect(serve.contains("\\-\\-ephemeral") && serve.contains(".SH \"OPTIONS\""))
            let user = try String(contentsOfFile: "\(folder)/spark-user.1", encoding: .utf8)
            #expect(user.contains(".SS \"spark user suspend\""))
            let settings = try String(contentsOfFile: "\(folder)/spark.yaml.5", encoding: .utf8)
            for section in ConfigurationSchema(modules: []).sections {
                for setting in section.settings { #expect(settings.contains("\n.B \(section.name).\(setting.key)\n")) }
            }
        }
    }

    @Test("groff finds no fault with a page", .enabled(if: groff != nil, "groff is not installed"))
    func groffReads() async throws {
        let groff = try #require(Self.groff)
        try await exported("man") { folder in
            for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
                let (status, output) = try await onOwnThread {
                    try ChildProcess(groff, ["-man", "-Kutf8", "-Tutf8", "-ww", "-z", "\(folder)/\(name)"], errors: -1).finish()
                }
                #expect(status == 0 && output.isEmpty, "\(name): \(output)")
            }
        }
    }

    @Test("bash reads the completions and knows the verbs")
    func completions() async throws {
        try await exported("completions") { folder in
            #expect(Set(try FileManager.default.contentsOfDirectory(atPath: folder)) == ["spark", "_spark", "spark.fish"])
            let script = """
                source \(folder)/spark
                COMP_WORDS=(spark doc); COMP_CWORD=1; COMP_LINE="spark doc"; COMP_POINT=9; COMP_TYPE=9
                _spark spark doc spark; echo "${COMPREPLY[*]}"
                """
            let (status, output) = try await onOwnThread { try ChildProcess("/bin/bash", ["-c", script], errors: -1).finish() }
            #expect(status == 0 && output.contains("doctor"), "\(output)")
        }
    }

    @Test("the manual and the page of commands give the same meaning to each exit code")
    func exitCodes() throws {
        let page = try DocumentationPages.text("docs/operating/commands.md")
        for (code, meaning) in ExitCodes.meanings {
            let row = page.split(separator: "\n").first { $0.hasPrefix("| \(code) |") }
            #expect(row?.replacing("`", with: "").contains("| \(meaning)") == true, "\(code)")
        }
    }
}

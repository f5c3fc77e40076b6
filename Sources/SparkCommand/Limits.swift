import ArgumentParser
import Foundation
import Spark
import SparkClient
import SparkTelemetry

struct Limits: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limits",
        abstract: "Show what clients may use on this machine, where each bound comes from, and how much is in use.",
        discussion:
            "Asks the running server of the data directory if there is one; then the server's own descriptors and memory count."
            + " Exit code 73 when --data names no directory, 69 when --url names no server."
    )

    @OptionGroup var common: CommonOptions

    @Option(
        name: .long,
        help: "Address of a server's metrics; by default the operators' listener of the server in the data directory.")
    var url: String?

    @Option(name: .long, help: "The token that opens the metrics at a public address.")
    var token: String?

    func run() async throws {
        try await reporting {
            // What does not fit the machine is shown below the table.
            let configuration = try common.load(isForRunning: true)
            let surroundings = CommonOptions.surroundings()
            let machine = surroundings.machine
            let plan = AdmissionPlan(configuration, machine: machine, isEphemeral: false)
            if configuration.origins["server.data"]?.hasPrefix("--") == true {
                // A directory named on the command line must exist.
                let process: ServerConfiguration = configuration.section("server")
                try DataDirectory(inspecting: process.dataDirectory).release()
            }
            let scrape = await self.scrape()
            if let url, scrape == nil {
                throw NoServer(hint: "\(url) shows no metrics: no server answers there, or it needs --token")
            }
            let rows = plan.rows.map { row(of: $0, configuration, scrape) } + Self.stored.compactMap { $0.row(configuration) }
            if common.json {
                show(json: rows, machine, plan, isRunning: scrape != nil)
            } else {
                show(rows, machine, plan, isRunning: scrape != nil)
            }
            _ = try common.load()
        }
    }

    /// The scrape of a running server; nil when none answers.
    private func scrape() async -> Scrape? {
        let running = try? url.map { ($0, nil) } ?? common.operatorsOfRunningServer()
        guard let running else { return nil }
        let (token, patience) = (token ?? running.1, Duration.seconds(3))
        let client =
            url == nil
            ? SparkClient(ofThisMachine: running.0, token: token, timeout: patience)
            : SparkClient(url: running.0, token: token, timeout: patience)
        guard let answer = try? await client.send("GET", "/metrics", body: nil), answer.status == 200 else { return nil }
        return Scrape(String(decoding: answer.body, as: UTF8.self))
    }

    struct Row: JSONWritable {
        let resource: String
        let scope: String
        let value: Int
        let unit: String
        let key: String
        let source: String
        var used: Int?

        func write(to writer: inout JSONWriter) {
            writer.object { writer in
                writer.field("resource", resource)
                writer.field("scope", scope)
                writer.field("value", value)
                writer.field("unit", unit)
                writer.field("key", key)
                writer.field("source", source)
                if let used { writer.field("used", used) }
            }
        }
    }

    private func row(of row: AdmissionPlan.Row, _ configuration: LoadedConfiguration, _ scrape: Scrape?) -> Row {
        let labels = ["resource": row.resource.rawValue, "scope": row.scope.rawValue]
        let running = scrape?.sum("spark_admission_limit", where: labels).map { Int($0) }
        let used =
            row.scope == .total || row.resource == .requests
            ? scrape?.sum("spark_admission_used", where: ["resource": row.resource.rawValue]).map { Int($0) } : nil
        let origin = configuration.origins[row.key] ?? "default"
        // A running server with other limits or another configuration takes precedence.
        let source = running.map { $0 != row.value } ?? false ? "the running server" : row.derivation ?? origin
        return Row(
            resource: row.resource.rawValue, scope: Self.word(row.scope), value: running ?? row.value, unit: row.resource.unit,
            key: row.key, source: source, used: used)
    }

    private static func word(_ scope: AdmissionScope) -> String {
        switch scope {
        case .total: "total"
        case .network: "network"
        case .person: "person"
        case .day: "person and day"
        }
    }

    /// Limits that a module counts in its own tables, and limits that are not counted.
    private struct Stored {
        let resource: String
        let section: String
        let key: String
        let unit: String
        var scope = "person and day"

        func row(_ configuration: LoadedConfiguration) -> Row? {
            guard case .integer(let value) = configuration.value(section, key) else { return nil }
            let name = "\(section).\(key)"
            return Row(
                resource: resource, scope: scope, value: value, unit: unit, key: name,
                source: configuration.origins[name] ?? "default")
        }
    }

    private static let stored = [
        Stored(resource: "messages", section: "chat", key: "messages_per_day", unit: "messages"),
        Stored(resource: "message_bytes", section: "chat", key: "bytes_per_day", unit: "bytes"),
        Stored(
            resource: "body_rate", section: "limits", key: "body_bytes_per_second", unit: "bytes a second", scope: "connection"),
        Stored(
            resource: "answer_rate", section: "limits", key: "answer_bytes_per_second", unit: "bytes a second",
            scope: "connection"),
        Stored(
            resource: "answer_pause", section: "limits", key: "answer_pause_seconds", unit: "seconds", scope: "connection"),
        Stored(resource: "slow_grace", section: "limits", key: "slow_grace_seconds", unit: "seconds", scope: "connection"),
    ]

    private func show(_ rows: [Row], _ machine: AdmissionMachine, _ plan: AdmissionPlan, isRunning: Bool) {
        let lines =
            [["resource", "for", "limit", "in use", "set by", "from"]]
            + rows.map { row in
                let used = row.used.map { Self.text($0, row.unit) } ?? ""
                return [row.resource, row.scope, Self.text(row.value, row.unit), used, row.key, row.source]
            }
        let widths = (0..<6).map { column in lines.map { $0[column].count }.max() ?? 0 }
        for line in lines {
            let cells = zip(line, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }
            Terminal.say(String(cells.joined(separator: "  ").reversed().drop { $0 == " " }.reversed()))
        }
        Terminal.say("")
        Terminal.say(
            "\(machine.descriptors) file descriptors, \(plan.reserve) of them kept for the server itself; "
                + "\(Self.text(machine.memoryBytes, "bytes")) of memory; \(isRunning ? "a server runs" : "no server runs here").")
    }

    private func show(json rows: [Row], _ machine: AdmissionMachine, _ plan: AdmissionPlan, isRunning: Bool) {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("descriptors", machine.descriptors)
            writer.field("reserved_descriptors", plan.reserve)
            writer.field("memory_bytes", machine.memoryBytes)
            writer.field("is_running", isRunning)
            writer.key("limits")
            writer.array(rows)
        }
        Terminal.say(String(decoding: writer.bytes, as: UTF8.self))
    }

    private static func text(_ value: Int, _ unit: String) -> String {
        guard unit == "bytes" || unit == "bytes a second" else { return unit == "seconds" ? "\(value) s" : "\(value)" }
        let rate = unit == "bytes" ? "" : "/s"
        for (name, size) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] where value >= size {
            return (value % size == 0 ? "\(value / size) \(name)" : String(format: "%.1f \(name)", Double(value) / Double(size)))
                + rate
        }
        return "\(value) B\(rate)"
    }
}

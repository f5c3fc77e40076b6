import ArgumentParser
import Foundation
import Spark
import SparkClient
import SparkTelemetry

struct Top: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top", abstract: "Show in the terminal how a running server does.",
        discussion:
            "Rates and times cover the time between two samples. Ends with Ctrl-C, or after one sample with --once. Exit code 69 when no server answers."
    )

    @OptionGroup var common: CommonOptions

    @Option(
        name: .long,
        help: "Address of a server's metrics; by default the operators' listener of the server in the data directory.")
    var url: String?

    @Option(name: .long, help: "The value of metrics.token, or an ephemeral server's admin_token; the public address needs it.")
    var token: String?

    @Option(name: .long, help: "Seconds between two samples, 1 to 60.")
    var interval = 2

    @Flag(name: .long, help: "Show one interval and end.")
    var once = false

    func validate() throws {
        guard (1...60).contains(interval) else { throw ValidationError("--interval must be 1 to 60") }
        if common.json, !once { throw ValidationError("--json needs --once") }
    }

    func run() async throws {
        try await reporting {
            let running = try url.map { ($0, nil) } ?? common.operatorsOfRunningServer()
            let address = running.0
            let (token, patience) = (token ?? running.1, Duration.seconds(10))
            let client =
                url == nil
                ? SparkClient(ofThisMachine: address, token: token, timeout: patience)
                : SparkClient(url: address, token: token, timeout: patience)
            var last = try await scrape(client, address)
            repeat {
                let start = last.at
                try await Task.sleep(for: .seconds(interval))
                let next = try await scrape(client, address)
                let overview = TopOverview(
                    next.scrape, since: last.scrape, seconds: (next.at - start).inSeconds, alerts: await alerts(client))
                show(overview)
                last = next
            } while !once
        }
    }

    private func show(_ overview: TopOverview) {
        if common.json { return Terminal.say(json: overview) }
        // On a terminal, clears the screen first.
        let start = Terminal.isInteractive && !once ? "\u{1B}[H\u{1B}[2J" : ""
        Terminal.say(start + overview.lines.joined(separator: "\n"))
    }

    private func scrape(_ client: SparkClient, _ address: String) async throws -> (scrape: Scrape, at: ContinuousClock.Instant) {
        let answer = try? await client.send("GET", "/metrics", body: nil)
        guard let answer, answer.status == 200 else {
            let reason =
                answer.map { $0.status == 404 ? "shows no metrics there without the token" : "has no metrics" }
                ?? "does not answer"
            Terminal.fail("\(address) \(reason)")
            throw ExitCodes.unavailable
        }
        return (Scrape(String(decoding: answer.body, as: UTF8.self)), .now)
    }

    /// Reads alerts in the format of Prometheus's `/api/v1/rules`; empty when there are none.
    private func alerts(_ client: SparkClient) async -> [String] {
        guard let answer = try? await client.send("GET", "/_/alerts", body: nil), answer.status == 200,
            let document = try? JSONParser.parse(Array(answer.body))
        else { return [] }
        let rules = (document["data"]?["groups"]?.array ?? []).flatMap { $0["rules"]?.array ?? [] }
        let alerts = rules.flatMap { $0["alerts"]?.array ?? [] }.compactMap { alert -> (state: String, text: String)? in
            guard let state = alert["state"]?.string, let name = alert["labels"]?["alertname"]?.string else { return nil }
            return (state, "\(name)\(alert["annotations"]?["summary"]?.string.map { ": \($0)" } ?? "")")
        }
        return ["firing", "pending"].flatMap { state in alerts.filter { $0.state == state }.map { "\(state) \($0.text)" } }
    }
}

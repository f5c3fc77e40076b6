import ArgumentParser
import Foundation
import Spark
import SparkBench
import SparkServer

struct BenchChat: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat", abstract: "Measure chat over real sockets: memory, latency, throughput, reconnecting.",
        discussion: """
            Makes people who are matched in pairs, starts a server of its own on a temporary directory (durable: commits wait for \
            the disk), connects everybody and lets them write to each other. Latencies count from when a message was due.
            """)

    @Option(name: .long, help: "How many connections, 2 to 60,000; an even number.")
    var connections = 10_000

    @Option(
        name: .long,
        help: "Messages a second over all connections; several numbers, separated by commas, run one after another.")
    var rate = "2000"

    @Option(name: .long, help: "How long each rate runs, in seconds.")
    var seconds = 20.0

    @Option(name: .long, help: "Event loops of the load.")
    var threads = 1

    @Option(name: .long, help: "Addresses of 127/8 to connect from.")
    var sources = 8

    @Flag(
        name: .long, help: "At the end, kill the server, start it again, wait until every client is back, then stop it cleanly.")
    var storm = false

    @Option(name: .long, help: "A peer instead of Spark: HOST:PORT/PATH of an XMPP server (RFC 7395) that lets anybody in.")
    var xmpp: String?

    @Option(name: .long, help: "With --xmpp: the server's process, to measure.")
    var pid: Int32?

    @Flag(name: .long, help: "Print JSON.")
    var json = false

    private var rates: [Int] { rate.split(separator: ",").compactMap { Int($0) } }

    func validate() throws {
        guard (2...60_000).contains(connections), connections % 2 == 0 else {
            throw ValidationError("--connections must be an even number of 2 to 60000")
        }
        guard !rates.isEmpty, rates.count == rate.split(separator: ",").count, rates.allSatisfy({ (1...200_000).contains($0) })
        else {
            throw ValidationError("--rate must be 1 to 200000, or several such numbers, separated by commas")
        }
        guard (0.1...3_600).contains(seconds) else { throw ValidationError("--seconds must be 0.1 to 3600") }
        guard (1...16).contains(threads) else { throw ValidationError("--threads must be 1 to 16") }
        guard (0...250).contains(sources) else { throw ValidationError("--sources must be 0 to 250") }
    }

    func run() async throws {
        OpenFiles.raiseLimit()
        let summary = if let xmpp { try await measurePeer(xmpp) } else { try await measure() }
        if json { Output.say(json: summary) } else { for line in summary.lines { Output.say(line) } }
        guard summary.runs.allSatisfy({ $0.lost == 0 && $0.repeated == 0 }) else { throw ExitCode.failure }
    }

    /// A few connections send more than real people do, so the quotas are lifted. Messages are still counted.
    private static let quotas = ["SPARK_CHAT_MESSAGES_PER_DAY": "10000000", "SPARK_CHAT_BYTES_PER_DAY": "1099511627776"]

    private func measurePeer(_ text: String) async throws -> ChatSummary {
        guard let url = URL(string: "ws://\(text)"), let host = url.host, let port = url.port else {
            throw ValidationError("--xmpp must be HOST:PORT/PATH")
        }
        var settings = ChatLoad.Settings()
        (settings.host, settings.port, settings.threads, settings.sources) = (host, port, threads, sources)
        settings.connections = connections
        let process = pid.map { ProcessCosts(pid: $0) }
        let load = try await ChatLoad(settings, dialect: XMPPDialect(path: url.path))
        var summary = ChatSummary(connections: connections)
        let before = process?.memory.anonymous ?? 0
        summary.connectSeconds = try await load.connect().inSeconds
        try await Task.sleep(for: .seconds(2))
        summary.bytesPerSocket = ((process?.memory.anonymous ?? 0) - before) / connections
        try await talk(over: load, process, &summary)
        try await load.shutDown()
        return summary
    }

    private func talk(over load: ChatLoad, _ process: ProcessCosts?, _ summary: inout ChatSummary) async throws {
        for (number, rate) in rates.enumerated() {
            let before = process?.processorSeconds ?? 0
            let run = UInt32(number + 1)
            summary.runs.append(try await load.talk(run: run, rate: rate, seconds: seconds, seed: UInt64(number)))
            summary.processor.append(((process?.processorSeconds ?? 0) - before) / seconds)
        }
        summary.serverMemory = process?.memory.resident ?? 0
        summary.serverPeak = process?.memory.peak ?? 0
    }

    private func measure() async throws -> ChatSummary {
        let directory = FileManager.default.temporaryDirectory.appending(path: "spark-chat-\(getpid())").path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let bar = ProgressBar(total: connections)
        let accounts = try await ChatPairs(directory: directory, count: connections).make { bar.show($0, $1) }
        // All connections come from a few addresses, unlike in real networks.
        let lifted = Self.quotas.merging(["SPARK_LIMITS_CONNECTIONS_PER_NETWORK": "\(connections + 64)"]) { $1 }
        var server = try ServerChild(data: directory, listen: "127.0.0.1:0", environment: lifted)
        defer { server.end(SIGKILL) }
        var settings = ChatLoad.Settings()
        settings.port = URL(string: server.url)?.port ?? 0
        settings.connections = accounts.count
        settings.threads = threads
        settings.sources = sources
        let load = try await ChatLoad(settings, dialect: SparkDialect(accounts: accounts))
        var summary = ChatSummary(connections: accounts.count)
        let costs = ProcessCosts(pid: server.pid)
        let before = costs.memory
        summary.connectSeconds = try await load.connect().inSeconds
        try await Task.sleep(for: .seconds(2))
        summary.bytesPerSocket = (costs.memory.anonymous - before.anonymous) / max(1, accounts.count)
        try await talk(over: load, costs, &summary)
        if storm {
            server.end(SIGKILL)
            let start = ContinuousClock.now
            server = try ServerChild(
                data: directory, listen: "127.0.0.1:\(settings.port)",
                environment: lifted.merging(["SPARK_OPERATOR_LISTEN": "127.0.0.1:0"]) { $1 })
            let ready = ContinuousClock.now
            _ = try await load.connect()
            summary.stormSeconds = (start.duration(to: .now).inSeconds, ready.duration(to: .now).inSeconds)
            let stop = ContinuousClock.now
            server.end(SIGTERM)
            summary.stopSeconds = stop.duration(to: .now).inSeconds
        }
        try await load.shutDown()
        return summary
    }
}

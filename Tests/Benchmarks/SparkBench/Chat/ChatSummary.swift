package import SparkCore

/// The results of all runs of a load, with the server's costs.
package struct ChatSummary: JSONWritable, Sendable {
    package let connections: Int
    package var connectSeconds = 0.0
    /// Anonymous memory of the server for each idle connection that has said hello.
    package var bytesPerSocket = 0
    package var runs: [ChatReport] = []
    /// Processors in use by the server, by run.
    package var processor: [Double] = []
    /// Resident bytes of the server after the last run, and at most.
    package var serverMemory = 0
    package var serverPeak = 0
    /// From the kill, and from the ready line of the next server, until every client was back and had what it missed.
    package var stormSeconds: (fromKill: Double, fromReady: Double)?
    /// Until the server had ended after SIGTERM with everybody connected.
    package var stopSeconds: Double?

    package init(connections: Int) { self.connections = connections }

    package func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("connections", connections)
            writer.field("connect_seconds", connectSeconds)
            writer.field("bytes_per_socket", bytesPerSocket)
            writer.field("server_bytes", serverMemory)
            writer.field("server_peak_bytes", serverPeak)
            if let stormSeconds {
                writer.field("storm_seconds_from_kill", stormSeconds.fromKill)
                writer.field("storm_seconds_from_ready", stormSeconds.fromReady)
            }
            if let stopSeconds { writer.field("stop_seconds", stopSeconds) }
            writer.key("runs")
            writer.array(runs)
            writer.key("processors")
            writer.array { writer in for value in processor { writer.value(value) } }
        }
    }

    package var lines: [String] {
        func short(_ value: Double) -> String { String(Double(Int(value * 100)) / 100) }
        var lines = [
            "\(connections) connections in \(short(connectSeconds)) s, \(bytesPerSocket) bytes an idle one; "
                + "server \(serverMemory >> 20) MB, at most \(serverPeak >> 20) MB"
        ]
        for (run, processor) in zip(runs, processor) {
            lines += run.lines + ["  processors in use by the server: \(short(processor))"]
        }
        if let stormSeconds {
            lines.append(
                "killed: every client back \(short(stormSeconds.fromKill)) s after the kill, \(short(stormSeconds.fromReady)) s after "
                    + "the new server was ready")
        }
        if let stopSeconds { lines.append("stopped cleanly in \(short(stopSeconds)) s") }
        return lines
    }
}

import Foundation
import Glibc
import Logging
import Spark

/// The first and the last line of a server's log.
struct ServerDiary {
    let logger: Logger
    /// The data directory.
    let directory: String
    /// The configuration file; nil for none.
    let settings: String?

    /// The server is ready.
    func began(_ listening: Listening) {
        var values: Logger.Metadata = [
            "version": .string(SparkVersion.text), "url": .string(listening.url), "data": .string(directory),
            "settings": .string(settings ?? "none"), "user": .string(DataOwner.name(of: geteuid())),
        ]
        values["operator_url"] = listening.operatorURL.map { .string($0) }
        values["redirect_url"] = listening.redirectURL.map { .string($0) }
        logger.notice("started", metadata: values)
    }

    /// The server has closed everything.
    func ended(_ stop: StopSignals) {
        var values: Logger.Metadata = ["signal": .string(stop.signal.map(Self.name) ?? "none")]
        if let moment = stop.requestedAt {
            values["seconds"] = .string(String(format: "%.3f", moment.duration(to: .now).inSeconds))
        }
        logger.notice("stopped", metadata: values)
    }

    private static func name(_ signal: Int32) -> String {
        switch signal {
        case SIGTERM: "SIGTERM"
        case SIGINT: "SIGINT"
        case SIGHUP: "SIGHUP"
        default: "\(signal)"
        }
    }
}

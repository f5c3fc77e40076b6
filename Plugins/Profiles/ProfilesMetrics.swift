import Metrics
import SparkKit

/// The metrics of Profiles.
struct ProfilesMetrics: Sendable {
    static let declarations = [
        MetricDeclaration(
            "spark_profiles_location_updates_total", .counter, labels: ["result"],
            help: "Locations sent by people, by result: moved, stayed or refused."),
        MetricDeclaration(
            "spark_profiles_changes_total", .counter, help: "Changes of profiles and preferences that altered something."),
        MetricDeclaration(
            "spark_profiles_activity_dropped_total", .counter,
            help: "Signs of activity that were not written, because the buffer was full or the store was busy."),
        MetricDeclaration(
            usersActiveName, .gauge, labels: ["window"], help: "People who were active within the last day, week and month."),
    ]

    private static let usersActiveName = "spark_users_active"

    let activeByWindow = ActivityWindow.allCases.map { Gauge(label: usersActiveName, dimensions: [("window", $0.rawValue)]) }
    let moved = Self.locationUpdates("moved")
    let stayed = Self.locationUpdates("stayed")
    let refused = Self.locationUpdates("refused")
    let changes = Counter(label: "spark_profiles_changes_total")
    let droppedActivity = Counter(label: "spark_profiles_activity_dropped_total")

    private static func locationUpdates(_ result: String) -> Counter {
        Counter(label: "spark_profiles_location_updates_total", dimensions: [("result", result)])
    }
}

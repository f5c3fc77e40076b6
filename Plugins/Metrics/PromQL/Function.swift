/// The functions, with their argument and result types.
enum Function: String, Sendable, CaseIterable {
    case rate
    case increase
    case irate
    case delta
    case changes
    case resets
    case averageOverTime = "avg_over_time"
    case sumOverTime = "sum_over_time"
    case countOverTime = "count_over_time"
    case minOverTime = "min_over_time"
    case maxOverTime = "max_over_time"
    case lastOverTime = "last_over_time"
    case absentOverTime = "absent_over_time"
    case absent
    case histogramQuantile = "histogram_quantile"
    case time
    case vector
    case scalar
    case clamp
    case clampMin = "clamp_min"
    case clampMax = "clamp_max"
    case abs
    case ceil
    case floor
    case round

    var parameters: [Expression.Kind] {
        switch self {
        case .rate, .increase, .irate, .delta, .changes, .resets, .averageOverTime, .sumOverTime, .countOverTime, .minOverTime,
            .maxOverTime, .lastOverTime, .absentOverTime:
            [.range]
        case .absent, .scalar, .abs, .ceil, .floor: [.vector]
        case .histogramQuantile: [.scalar, .vector]
        case .time: []
        case .vector: [.scalar]
        case .clamp: [.vector, .scalar, .scalar]
        case .clampMin, .clampMax, .round: [.vector, .scalar]
        }
    }

    /// The number of trailing arguments that are optional.
    var optional: Int { self == .round ? 1 : 0 }

    var result: Expression.Kind { self == .time || self == .scalar ? .scalar : .vector }
}

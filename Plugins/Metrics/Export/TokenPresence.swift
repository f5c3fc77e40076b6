extension MetricsConfiguration {
    /// Whether remote readers of the metrics need a token.
    package var hasToken: Bool { !token.isEmpty }
}

extension MetricsConfiguration {
    /// Whether whoever reads the metrics from elsewhere must show a token.
    package var hasToken: Bool { !token.isEmpty }
}

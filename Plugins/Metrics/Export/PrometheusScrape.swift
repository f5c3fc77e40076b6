/// A Prometheus configuration that scrapes one server and loads its rules.
package enum PrometheusScrape {
    /// - Parameters:
    ///   - target: host and port.
    ///   - isToken: whether the server requires `metrics.token`.
    ///   - isSecure: whether the target speaks HTTPS.
    package static func text(target: String, isToken: Bool, isSecure: Bool = false) -> String {
        let credentials =
            isToken
            ? """
                # The same as metrics.token; readable for Prometheus only.
                authorization:
                  type: Bearer
                  credentials_file: /etc/prometheus/spark.token

            """ : ""
        return """
            # Made by spark export prometheus-scrape.
            global:
              scrape_interval: 15s
              evaluation_interval: 15s
            rule_files:
              # spark export prometheus-rules > spark.rules.yaml
              - spark.rules.yaml
            scrape_configs:
              - job_name: spark
                metrics_path: /metrics
                scheme: \(isSecure ? "https" : "http")
            \(credentials)    static_configs:
                  - targets: ['\(target.replacing("'", with: "''"))']

            """
    }
}

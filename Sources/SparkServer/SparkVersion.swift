/// Which Spark this is.
public enum SparkVersion {
    /// Semantic version.
    public static let text = "0.1.0"
}

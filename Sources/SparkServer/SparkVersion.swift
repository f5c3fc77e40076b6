/// The version of Spark.
public enum SparkVersion {
    /// The semantic version.
    public static let text = "0.1.0"
}

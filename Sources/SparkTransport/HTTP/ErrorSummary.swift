import SparkStorage

/// What the log says of an unexpected error: its type, and for the database its code and statement; never values.
public enum ErrorSummary {
    public static func of(_ error: any Error) -> String {
        guard let error = error as? SQLError else { return "\(type(of: error))" }
        return "SQLError \(error.code): \(error.sql ?? "no statement")"
    }
}

import Testing

@testable import SparkChat

import SparkClient
import SparkTestSupport

/// A person on a server in a process of its own.
typealias Person = SparkTestSupport.Person<SparkClient>

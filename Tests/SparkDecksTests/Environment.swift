#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Numbers that a long run is given from outside.
enum Environment {
    static func number(_ name: String) -> Int? { getenv(name).flatMap { Int(String(cString: $0)) } }
}

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Sizes of a long run, from the environment.
enum Environment {
    static func number(_ name: String) -> Int? { getenv(name).flatMap { Int(String(cString: $0)) } }
}

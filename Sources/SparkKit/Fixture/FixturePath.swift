/// The paths of the fixture: routes with which a test steers an ephemeral server. No other server has them.
package enum FixturePath {
    /// The beginning of every such path.
    package static let prefix = "/__test__"

    /// Whether a path's first segment is that of the fixture.
    package static func contains(_ path: String) -> Bool { contains(path[...]) }

    /// The same.
    package static func contains(_ path: Substring) -> Bool {
        let first = path.utf8.drop { $0 == UInt8(ascii: "/") }.prefix { $0 != UInt8(ascii: "/") }
        return first.elementsEqual(prefix.utf8.dropFirst())
    }
}

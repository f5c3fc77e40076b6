import SparkCore
import SparkKit

extension FixturePeople {
    /// The person of an identifier or a name.
    /// - Throws: `FixtureError.unknownName`.
    func knownID(of text: String) throws -> UserID {
        guard let id = id(of: text) else { throw FixtureError.unknownName }
        return id
    }

    /// A person by identifier or name, or the address of a webhook.
    /// - Throws: `FixtureError.unknownName` for a text that can be neither.
    func receiver(_ text: String) throws -> Receiver {
        text.isEmpty || text.contains(":") ? .address(text) : .person(try knownID(of: text))
    }
}

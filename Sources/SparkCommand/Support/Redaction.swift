import Foundation
import Spark

/// Removes from a text what could say something about a person: for texts that hold no such thing by their own rules, as a second
/// line of defence.
struct Redaction {
    private let places: [(text: String, name: String)]

    /// - Parameter places: paths and names, and what is written instead.
    init(_ places: [(text: String, name: String)]) {
        // A path before the folder that holds it.
        self.places = places.filter { $0.text.count > 1 }.sorted { $0.text.count > $1.text.count }
    }

    func text(_ text: String) -> String {
        var text = text
        for place in places { text = text.replacing(place.text, with: place.name) }
        text = text.replacing(/[A-Za-z0-9._%+\-]+@[A-Za-z0-9.\-]+/, with: "EMAIL")
        // Identifiers, tokens and keys.
        text = text.replacing(/\b(?:usr|mat|msg|ses|cnv|rep|dev|key)_[A-Za-z0-9_\-]+/, with: "IDENTIFIER")
        text = text.replacing(/[A-Za-z0-9_\-]{32,}/) { match in
            match.output.contains(where: \.isNumber) ? "SECRET" : String(match.output)
        }
        // Coordinates have at least four digits after the point.
        return text.replacing(/-?[0-9]{1,3}\.[0-9]{4,}/, with: "NUMBER")
    }

    /// The value of a setting: of an address only scheme and host, because the rest may be a secret.
    func setting(_ value: String) -> String {
        text(
            value.replacing(/([a-z][a-z0-9+.\-]*:\/\/)(?:[^@\/\s"]*@)?([^\/\s",\]]*)[^\s",\]]*/) {
                "\($0.output.1)\($0.output.2)"
            })
    }
}

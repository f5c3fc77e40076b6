import SparkCore

/// A service account's key file, as Google's console provides it.
struct FCMCredentials: Sendable {
    let project: String
    let email: String
    let keyID: String
    let privateKey: String
    let tokenURL: String

    /// Nil for any other file. The project may contain only characters that are safe in a path.
    init?(_ text: String) {
        guard let json = try? JSONParser.parse(text.utf8), json["type"]?.string == "service_account",
            let project = json["project_id"]?.string, let email = json["client_email"]?.string,
            let privateKey = json["private_key"]?.string, let keyID = json["private_key_id"]?.string
        else { return nil }
        let marks = Array("-_.:".utf8)
        guard (1...100).contains(project.utf8.count), project.utf8.allSatisfy({ $0.isLetterOrDigit || marks.contains($0) }) else {
            return nil
        }
        let tokenURL = json["token_uri"]?.string ?? "https://oauth2.googleapis.com/token"
        guard tokenURL.hasPrefix("https://") else { return nil }
        self.project = project
        self.email = email
        self.keyID = keyID
        self.privateKey = privateKey
        self.tokenURL = tokenURL
    }
}

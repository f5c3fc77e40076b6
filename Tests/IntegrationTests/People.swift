import Foundation
import SparkClient
import SparkCore

/// A person who uses the API.
struct Person: Sendable {
    let id: String
    let client: SparkClient
    let refreshToken: String

    /// Registers a new person, with a place if given.
    static func register(
        on client: SparkClient, _ name: String, gender: String = "woman", interestedIn: [String] = ["man"],
        birthDate: String = "1995-06-15", latitude: Double? = nil, longitude: Double = 2.3522
    ) async throws -> Person {
        let answer = try await client.call(
            "POST", "/api/v1/auth/register",
            json: [
                "email": .string("\(name)-\(UUID().uuidString.prefix(8))@example.org"), "password": "correct horse battery",
                "name": .string(name), "birth_date": .string(birthDate), "gender": .string(gender),
                "interested_in": .array(interestedIn.map { .string($0) }),
            ] as JSONValue)
        let person = Person(
            id: answer["user"]?["id"]?.string ?? "", client: client.authenticated(with: answer["access_token"]?.string ?? ""),
            refreshToken: answer["refresh_token"]?.string ?? "")
        if let latitude {
            _ = try await person.client.call(
                "PUT", "/api/v1/me/location",
                json: ["latitude": .number(latitude), "longitude": .number(longitude)] as JSONValue)
        }
        return person
    }

    func swipe(_ target: String, _ action: String) async throws -> JSONValue {
        try await client.call(
            "POST", "/api/v1/swipes", json: ["target_id": .string(target), "action": .string(action)] as JSONValue)
    }

    func deck(_ limit: Int = 50) async throws -> JSONValue {
        try await client.call("GET", "/api/v1/matches/suggestions?limit=\(limit)")
    }
}

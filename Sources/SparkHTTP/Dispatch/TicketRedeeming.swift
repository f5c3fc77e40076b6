package import SparkCore

/// Redeems tickets, which replace an access token in a URL.
package protocol TicketRedeeming: Sendable {
    /// The principal that a ticket was issued for. The caller checks that the session is still live.
    /// - Parameter isProbe: whether the request only asks (HEAD), so that the ticket stays unused.
    /// - Throws: `EdgeError.unauthenticated` for a ticket that is unknown or expired.
    func redeem(_ ticket: String, isProbe: Bool) throws -> Principal
}

public import SparkCore

/// One open connection of a user's device to the stream. Equal only to itself.
public protocol StreamConnection: AnyObject, Sendable {
    var principal: Principal { get }
    /// Counts connections of this process.
    var id: UInt64 { get }
    /// Sends an unnumbered frame to this device alone. Dropped when the device reads too slowly. Returns at once, from any thread.
    /// - Parameter frame: a whole JSON object.
    func send(_ frame: [UInt8])
}

/// Contribution that the stream opens: who wants to know which users are connected. Called on event loops: short, no I/O.
public protocol ConnectionObserving: Sendable {
    /// A device has said hello.
    /// - Parameter isBackground: it was woken by a push and nobody looks at it.
    func connected(_ connection: any StreamConnection, isBackground: Bool)
    /// A device that had said hello is gone.
    /// - Parameter wasLast: no other device of the user is connected.
    func disconnected(_ connection: any StreamConnection, wasLast: Bool)
}

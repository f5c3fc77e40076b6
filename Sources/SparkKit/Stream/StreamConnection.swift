public import SparkCore

/// One open stream connection of a user's device. Two connections are equal only if they are the same object.
public protocol StreamConnection: AnyObject, Sendable {
    /// The signed-in user and session.
    var principal: Principal { get }
    /// The number of the connection in this process.
    var id: UInt64 { get }
    /// Sends an unnumbered frame to this device only. The frame is dropped if the device reads too slowly. Returns at once;
    /// callable from any thread.
    /// - Parameter frame: A complete JSON object.
    func send(_ frame: [UInt8])
}

/// A contribution that the stream opens: observes which users are connected. Called on event loops, so implementations must be
/// short and do no I/O.
public protocol ConnectionObserving: Sendable {
    /// A device has sent `hello`.
    /// - Parameter isBackground: True if a push woke the device and the app is not on screen.
    func connected(_ connection: any StreamConnection, isBackground: Bool)
    /// A device that had sent `hello` has disconnected.
    /// - Parameter wasLast: True if no other device of the user is connected.
    func disconnected(_ connection: any StreamConnection, wasLast: Bool)
}

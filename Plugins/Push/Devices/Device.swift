import SparkCore

/// A device that a user registered.
struct Device: Sendable {
    let id: Int64
    let user: UserID
    /// The session that registered the device. When it ends, the device gets no pushes.
    let session: SessionID
    /// The app's name for the device.
    let name: String
    let target: PushTarget
    let language: PushLanguage
}

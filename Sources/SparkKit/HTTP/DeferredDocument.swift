import Synchronization

/// A document that is made when somebody first asks for it, and once: rendering and compressing every document took a tenth of a
/// start, and few servers are asked for them.
public final class DeferredDocument: Sendable {
    private let make: @Sendable () -> ConstantDocument
    private let making = Mutex<Task<ConstantDocument, Never>?>(nil)

    /// - Parameter make: Makes the document, on the cooperative pool and not on an event loop.
    public init(_ make: @escaping @Sendable () -> ConstantDocument) { self.make = make }

    /// The answer to a request for the document. Requests that come while it is made wait for it.
    public var reply: Reply {
        get async {
            let task = making.withLock { making in
                if let making { return making }
                let task = Task.detached { [make] in make() }
                making = task
                return task
            }
            return await task.value.reply
        }
    }
}

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A lock for many readers or one writer, with the state it protects. A waiting writer goes before later readers on Glibc.
///
/// Blocks the thread. Both sides hold it for microseconds, and no holder waits for anything else.
final class ReadWriteLock<State: ~Copyable> {
    private let lock: UnsafeMutablePointer<pthread_rwlock_t>
    private let state: UnsafeMutablePointer<State>

    init(_ state: consuming State) {
        self.lock = .allocate(capacity: 1)
        self.state = .allocate(capacity: 1)
        var attributes = pthread_rwlockattr_t()
        pthread_rwlockattr_init(&attributes)
        #if canImport(Glibc)
            pthread_rwlockattr_setkind_np(&attributes, Int32(PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP))
        #endif
        pthread_rwlock_init(lock, &attributes)
        pthread_rwlockattr_destroy(&attributes)
        self.state.initialize(to: state)
    }

    deinit {
        state.deinitialize(count: 1)
        state.deallocate()
        pthread_rwlock_destroy(lock)
        lock.deallocate()
    }

    func read<Result, Failure: Error>(_ body: (borrowing State) throws(Failure) -> Result) throws(Failure) -> Result {
        pthread_rwlock_rdlock(lock)
        defer { pthread_rwlock_unlock(lock) }
        return try body(state.pointee)
    }

    func write<Result, Failure: Error>(_ body: (inout State) throws(Failure) -> Result) throws(Failure) -> Result {
        pthread_rwlock_wrlock(lock)
        defer { pthread_rwlock_unlock(lock) }
        return try body(&state.pointee)
    }
}

// The state is accessed only under the lock.
extension ReadWriteLock: @unchecked Sendable where State: ~Copyable {}

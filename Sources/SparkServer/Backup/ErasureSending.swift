import SparkBackup
import SparkCore

/// The lists of erased people in the place.
extension BackupPlace {
    /// So many lists of this data directory are sent as one again.
    static let mostLists = 64

    /// Stores the whole list of erased people, and removes the lists of this data directory that it replaces.
    ///
    /// A list is removed only if this one has everybody who is in it. If that is not known any more, it stays until its people can be
    /// in no backup.
    func sendErasures() async throws {
        let directory = directory
        // Before the file is read: a list that comes in between may have people who are missing from this one.
        let replaced = try await lists()
        let (all, isWhole) = try await OwnThread.run { try SentErasures(in: directory).complete() }
        try await send(all)
        if isWhole { try await erasures().remove(replaced) }
        guard isConfigured else { return try await updateLists { $0.removeAll { replaced.contains($0) } } }
        try await OwnThread.run { try SentErasures(in: directory).forget(replaced) }
    }

    /// Stores some entries of the list as a further one.
    func send(_ erasures: [Erasure]) async throws {
        guard !erasures.isEmpty else { return }
        let (objects, directory, now, isConfigured) = (try self.erasures(), directory, clock.now(), isConfigured)
        let name = try await OwnThread.run {
            let name = objects.name(at: BackupRecord(in: directory).time(at: now), random: SystemRandomSource())
            try SentErasures(in: directory).note(erasures, in: isConfigured ? name : nil)
            return name
        }
        if !isConfigured { try await updateLists { $0.append(name) } }
        do {
            try await objects.put(erasures, as: name)
        } catch {
            // The next attempt has another name. What came in spite of the error counts, and ends with its time.
            try? await objects.remove([name])
            try await updateLists { $0.removeAll { $0 == name } }
            throw error
        }
    }
}

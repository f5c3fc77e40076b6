import Synchronization

/// The dictionaries of a spill by version. A warm spill keeps them in sealed files beside its segments, one each.
final class DictionaryStore: Sendable {
    fileprivate struct Held {
        /// By version; version zero is none.
        var dictionaries: [SpillDictionary?] = [nil]
        /// Serial numbers of the last segments that may need a dictionary that is no longer used.
        var superseded: [(version: UInt16, lastSegment: UInt64)] = []
        var fileBytes: [UInt16: Int] = [:]
    }

    private let held = Mutex(Held())
    private let directory: String
    private let keys: SpillKeys
    private let files: any SpillFiles
    private let isStored: Bool

    init(directory: String, keys: SpillKeys, files: any SpillFiles, isStored: Bool) {
        self.directory = directory
        self.keys = keys
        self.files = files
        self.isStored = isStored
    }

    subscript(version: UInt16) -> SpillDictionary? {
        held.withLock { Int(version) < $0.dictionaries.count ? $0.dictionaries[Int(version)] : nil }
    }

    /// Bytes of files.
    var bytes: Int { held.withLock { $0.fileBytes.values.reduce(0, +) } }

    static func name(version: UInt16) -> String { "dictionary-\(String(version, radix: 16)).spill" }

    /// Nil if it is not a dictionary's name.
    static func version(name: String) -> UInt16? {
        guard name.hasPrefix("dictionary-"), name.hasSuffix(".spill") else { return nil }
        return UInt16(name.dropFirst(11).dropLast(6), radix: 16)
    }

    /// Takes up a dictionary of an earlier start. False if its file is unsound.
    func load(version: UInt16) -> Bool {
        let name = Self.name(version: version)
        guard version > 0, let sealed = files.contents(of: directory + "/" + name, atMost: 1 << 20),
            let content = keys.open(sealed, as: name)
        else { return false }
        let namespace = content.withUnsafeBytes { bytes in
            var reader = SpillBytesReader(bytes)
            return reader.next(UInt32.self)
        }
        guard let namespace, content.count > 4 else { return false }
        let dictionary = SpillDictionary(version: version, namespace: namespace, text: Array(content[4...]))
        held.withLock { $0.insert(dictionary, fileBytes: sealed.count) }
        return true
    }

    /// The newest of each namespace; older ones are gone when the segments up to `lastSegment` are.
    func newest(lastSegment: UInt64) -> [SpillDictionary] {
        held.withLock { held in
            var newest: [UInt32: SpillDictionary] = [:]
            for case .some(let dictionary) in held.dictionaries {
                if let older = newest.updateValue(dictionary, forKey: dictionary.namespace) {
                    held.superseded.append((older.version, lastSegment))
                }
            }
            return Array(newest.values)
        }
    }

    /// A new dictionary, in its file before anything is compressed with it.
    /// - Parameter replacing: the one that it supersedes, and the newest segment that may have used it.
    /// - Returns: nil when all versions are used up.
    func add(_ text: [UInt8], namespace: UInt32, replacing: (SpillDictionary, lastSegment: UInt64)?) throws(SpillFault)
        -> SpillDictionary?
    {
        let next = held.withLock { $0.dictionaries.count }
        guard let version = UInt16(exactly: next) else { return nil }
        var fileBytes = 0
        if isStored {
            var content: [UInt8] = []
            content.appendLittleEndian(namespace)
            content.append(contentsOf: text)
            let name = Self.name(version: version)
            guard let sealed = keys.seal(content, as: name) else { return nil }
            try files.store(sealed, at: directory + "/" + name)
            fileBytes = sealed.count
        }
        let dictionary = SpillDictionary(version: version, namespace: namespace, text: text)
        held.withLock {
            $0.insert(dictionary, fileBytes: fileBytes)
            if let replacing { $0.superseded.append((replacing.0.version, replacing.lastSegment)) }
        }
        return dictionary
    }

    /// Lets go of those that no segment from `oldestSegment` on can need.
    func discard(olderThan oldestSegment: UInt64) {
        let names = held.withLock { held in
            let done = held.superseded.filter { $0.lastSegment < oldestSegment }
            held.superseded.removeAll { $0.lastSegment < oldestSegment }
            return done.map { held.remove($0.version) }
        }
        remove(names)
    }

    func discardAll() {
        let names = held.withLock { held in
            held.superseded = []
            return held.dictionaries.compactMap { $0 }.map { held.remove($0.version) }
        }
        remove(names)
    }

    private func remove(_ names: [String]) {
        guard isStored else { return }
        for name in names { try? files.remove(directory + "/" + name) }
    }
}

extension DictionaryStore.Held {
    fileprivate mutating func insert(_ dictionary: SpillDictionary, fileBytes bytes: Int) {
        while dictionaries.count <= Int(dictionary.version) { dictionaries.append(nil) }
        dictionaries[Int(dictionary.version)] = dictionary
        if bytes > 0 { fileBytes[dictionary.version] = bytes }
    }

    fileprivate mutating func remove(_ version: UInt16) -> String {
        dictionaries[Int(version)] = nil
        fileBytes[version] = nil
        return DictionaryStore.name(version: version)
    }
}

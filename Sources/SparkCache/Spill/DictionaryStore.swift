import Synchronization

/// The dictionaries of a spill, by version. A warm spill keeps each in an encrypted file beside its segments.
final class DictionaryStore: Sendable {
    private struct Held {
        /// By version; version 0 means no dictionary.
        var dictionaries: [SpillDictionary?] = [nil]
        /// Dictionaries no longer in use, with the serial number of the last segment that may need them.
        var superseded: [(version: UInt16, lastSegment: UInt64)] = []
        var fileBytes: [UInt16: Int] = [:]

        mutating func insert(_ dictionary: SpillDictionary, fileBytes bytes: Int) {
            while dictionaries.count <= Int(dictionary.version) { dictionaries.append(nil) }
            dictionaries[Int(dictionary.version)] = dictionary
            if bytes > 0 { fileBytes[dictionary.version] = bytes }
        }

        mutating func remove(_ version: UInt16) -> String {
            dictionaries[Int(version)] = nil
            fileBytes[version] = nil
            return DictionaryStore.name(version: version)
        }
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

    /// Bytes of all files.
    var bytes: Int { held.withLock { $0.fileBytes.values.reduce(0, +) } }

    static func name(version: UInt16) -> String { "dictionary-\(String(version, radix: 16)).spill" }

    /// Nil when the name is not that of a dictionary.
    static func version(name: String) -> UInt16? {
        guard name.hasPrefix("dictionary-"), name.hasSuffix(".spill") else { return nil }
        return UInt16(name.dropFirst(11).dropLast(6), radix: 16)
    }

    /// Loads a dictionary of an earlier start.
    /// - Returns: false when its file is missing or corrupt.
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

    /// The newest dictionary of each namespace. Older ones are discarded with the segments up to `lastSegment`.
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

    /// Adds a dictionary, and writes its file before anything is compressed with it.
    /// - Parameter replacing: the dictionary it supersedes, and the newest segment that may have used that.
    /// - Returns: nil when all 65,535 versions are used up.
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

    /// Discards the superseded dictionaries that no segment from `oldestSegment` on can need.
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

/// The operators' log of a restored database, read from its pages as they are now.
struct ReplayedLog {
    /// The deepest tree of a table, and the longest chain of pages of one row.
    private static let deepest = 64
    private static let unreadable = ArchiveError.unusable("the table of the operators' log cannot be read")

    /// The root page of the table.
    let root: UInt32
    /// A page; nil if the file does not have it.
    let page: (UInt32) throws -> [UInt8]?

    /// The number of the last entry; 0 without entries.
    /// - Throws: `ArchiveError` if the pages are no table.
    func last() throws -> Int64 {
        // Numbers only grow, so the last entry is at the right end of the table's tree.
        let (bytes, start) = try leaf { bytes, start, _ in Self.number(bytes, start + 8, 4) }
        let count = Int(Self.number(bytes, start + 3, 2))
        guard count > 0 else { return 0 }
        var place = Int(Self.number(bytes, start + 8 + (count - 1) * 2, 2))
        // The length of the row, and then its number (https://www.sqlite.org/fileformat2.html, section 1.6).
        guard Varint.read(bytes, &place) != nil, let number = Varint.read(bytes, &place) else { throw Self.unreadable }
        return number
    }

    /// An entry; nil if there is none with this number.
    /// - Throws: `ArchiveError` if the pages are no table.
    func entry(_ wanted: Int64, pageSize: Int) throws -> LogEntry? {
        let (bytes, start) = try leaf { bytes, start, count in
            for index in 0..<count {
                let cell = Int(Self.number(bytes, start + 12 + index * 2, 2))
                var place = cell + 4
                guard let key = Varint.read(bytes, &place) else { break }
                if wanted <= key { return Self.number(bytes, cell, 4) }
            }
            return Self.number(bytes, start + 8, 4)
        }
        for index in 0..<Int(Self.number(bytes, start + 3, 2)) {
            var place = Int(Self.number(bytes, start + 8 + index * 2, 2))
            guard let length = Varint.read(bytes, &place), let number = Varint.read(bytes, &place) else { throw Self.unreadable }
            guard number == wanted else { continue }
            guard let record = try record(bytes, place, length, pageSize), let entry = LogEntry(number: number, record: record)
            else {
                throw Self.unreadable
            }
            return entry
        }
        return nil
    }

    /// Goes down to a leaf.
    /// - Parameter next: the page below an interior one, of which it gets the bytes, where its header begins, and the number of cells.
    private func leaf(_ next: ([UInt8], Int, Int) -> UInt32) throws -> (bytes: [UInt8], start: Int) {
        var number = root
        for _ in 0..<Self.deepest {
            guard let bytes = try page(number) else { break }
            let start = number == 1 ? 100 : 0
            switch bytes[start] {
            case 5: number = next(bytes, start, Int(Self.number(bytes, start + 3, 2)))
            case 13: return (bytes, start)
            default: throw Self.unreadable
            }
        }
        throw Self.unreadable
    }

    /// The content of a row, of which a long one goes on in other pages; nil if it is not whole.
    private func record(_ bytes: [UInt8], _ place: Int, _ length: Int64, _ pageSize: Int) throws -> [UInt8]? {
        let reserved = try page(1).map { Int($0[20]) } ?? 0
        let usable = pageSize - reserved
        guard usable >= 480, (0...Int64(Self.deepest * usable)).contains(length) else { return nil }
        let (whole, least, most) = (Int(length), (usable - 12) * 32 / 255 - 23, usable - 35)
        let spilled = least + (whole - least) % (usable - 4)
        let local = whole <= most ? whole : whole < least || spilled > most ? least : spilled
        guard place + local <= bytes.count else { return nil }
        var record = Array(bytes[place..<(place + local)])
        var next = local < whole ? Self.number(bytes, place + local, 4) : 0
        while record.count < whole, next > 0, let further = try page(next) {
            record += further[4..<min(usable, 4 + whole - record.count)]
            next = Self.number(further, 0, 4)
        }
        return record.count == whole ? record : nil
    }

    static func number(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> UInt32 {
        guard offset + count <= bytes.count else { return 0 }
        return bytes[offset..<offset + count].reduce(0) { $0 << 8 | UInt32($1) }
    }
}

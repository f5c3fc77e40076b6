import SparkCore
import SparkKit
import SparkStorage

/// One column of `profiles_users` beside the key: where its value is in a record, and how rows and cached records hold it.
struct ProfileColumn: Sendable {
    let name: String
    /// The name and the type, which decide how a cached record holds the value.
    let encoding: String
    /// The changes that write the column; none if a registration or a statement of its own writes it.
    let changes: ProfileAspects
    let value: @Sendable (OwnProfile) -> SQLValue
    let fill: @Sendable (inout OwnProfile, borrowing SQLRow, Int32) -> Void
    let encode: @Sendable (OwnProfile, inout CompactWriter) -> Void
    /// Returns false if the bytes do not hold the value.
    let decode: @Sendable (inout OwnProfile, inout CompactReader) -> Bool
    /// The bytes that a text takes in memory; nil for values of a fixed size.
    let weight: (@Sendable (OwnProfile) -> Int)?

    init<Value: CompactValue>(
        _ name: String, _ path: any WritableKeyPath<OwnProfile, Value> & Sendable, _ type: ColumnType<Value>,
        _ changes: ProfileAspects = []
    ) {
        self.name = name
        self.encoding = "\(name): \(Value.self)"
        self.changes = changes
        value = { type.value($0[keyPath: path]) }
        fill = { (own: inout OwnProfile, row: borrowing SQLRow, column: Int32) in
            own[keyPath: path] = type.read(row, column)
        }
        encode = { own, writer in own[keyPath: path].write(to: &writer) }
        decode = { own, reader in
            guard let value = Value.read(from: &reader), type.isSound(value) else { return false }
            own[keyPath: path] = value
            return true
        }
        if let textWeight = type.weight {
            weight = { own in textWeight(own[keyPath: path]) }
        } else {
            weight = nil
        }
    }
}

/// How a column holds a value.
///
/// The fallbacks of reading replace values that the table's constraints rule out.
struct ColumnType<Value>: Sendable {
    let value: @Sendable (Value) -> SQLValue
    let read: @Sendable (borrowing SQLRow, Int32) -> Value
    var weight: (@Sendable (Value) -> Int)?
    /// False for a value that only damaged bytes of a cached record can hold.
    var isSound: @Sendable (Value) -> Bool = { _ in true }
}

extension ColumnType where Value == Bool {
    static var flag: ColumnType { ColumnType(value: { .flag($0) }, read: { $0.flag($1) }) }
}

extension ColumnType where Value == Int64 {
    static var number: ColumnType { ColumnType(value: { .integer($0) }, read: { $0.integer($1) }) }
}

extension ColumnType where Value == Timestamp {
    static var time: ColumnType { ColumnType(value: { .time($0) }, read: { $0.time($1) }) }
}

extension ColumnType where Value == String {
    static var text: ColumnType { ColumnType(value: { .text($0) }, read: { $0.text($1) }, weight: { $0.utf8.count }) }
}

extension ColumnType where Value == Int {
    static var small: ColumnType {
        ColumnType(
            value: { .integer(Int64($0)) }, read: { Int(clamping: $0.integer($1)) }, isSound: { (0...100_000).contains($0) })
    }
}

extension ColumnType where Value == [String] {
    /// The texts as a JSON array.
    static var texts: ColumnType {
        ColumnType(
            value: { .text(JSONWriter.string(of: JSONValue.array($0.map { .string($0) }))) },
            read: { row, column in
                let text = row.text(column)
                guard text != "[]", let value = try? JSONParser.parse(text.utf8) else { return [] }
                return value.array?.compactMap(\.string) ?? []
            }, weight: { texts in texts.reduce(0) { $0 + 48 + $1.utf8.count } })
    }
}

extension ColumnType where Value == CivilDate {
    static var day: ColumnType {
        ColumnType(value: { .integer($0.daysSinceEpoch) }, read: { CivilDate(daysSinceEpoch: $0.integer($1)) })
    }
}

extension ColumnType where Value == Gender {
    static var gender: ColumnType {
        ColumnType(
            value: { .integer(Int64($0.rawValue)) },
            read: { Gender(rawValue: UInt8(truncatingIfNeeded: $0.integer($1))) ?? .nonbinary })
    }
}

extension ColumnType where Value == GenderSet {
    static var genders: ColumnType {
        ColumnType(
            value: { .integer(Int64($0.rawValue)) },
            read: { GenderSet(rawValue: UInt8(truncatingIfNeeded: $0.integer($1))) })
    }
}

extension ColumnType where Value == Cell? {
    static var cell: ColumnType {
        ColumnType(value: { .optional($0?.rawValue) }, read: { $0.optional($1).map { Cell(rawValue: $0) } })
    }
}

extension ColumnType where Value == Timestamp? {
    static var time: ColumnType {
        ColumnType(
            value: { .optional($0?.milliseconds) }, read: { $0.optional($1).map { Timestamp(milliseconds: $0) } })
    }
}

extension ColumnType where Value == Coordinate? {
    /// A point of SpatiaLite.
    static var place: ColumnType {
        ColumnType(value: { $0.map { .blob(GeometryBlob.point($0)) } ?? .null }, read: { $0.place($1) })
    }
}

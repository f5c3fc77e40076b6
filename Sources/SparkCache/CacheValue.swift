/// Something that can be cached: it knows what it weighs, and how it is written down when it goes to the disk.
public protocol CacheValue: Sendable {
    /// Bytes that it takes of memory, without the entry around it; an estimate that errs upwards.
    var cacheCost: Int { get }
    /// Appends its encoding.
    func encode(into bytes: inout [UInt8])
    /// Reads an encoding; nil when it is none. The bytes come from the disk and are trusted no further than their seal.
    static func decode(_ bytes: [UInt8]) -> Self?
}

/// Bytes ready to be sent.
extension [UInt8]: CacheValue {
    /// The array's header and its storage, as malloc rounds it.
    public var cacheCost: Int { (capacity + 32 + 15) & ~15 }
    public func encode(into bytes: inout [UInt8]) { bytes += self }
    public static func decode(_ bytes: [UInt8]) -> [UInt8]? { bytes }
}

import SparkCore
import Testing

@testable import SparkCache

@Suite("Payloads")
struct PayloadTests {
    @Test("bytes are stored unboxed, other values in a box, and both come back unchanged", arguments: [0, 1, 1_000])
    func values(count: Int) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        let payload = Payload(value: bytes)
        #expect(payload.value(as: [UInt8].self) == bytes)
        #expect(!(payload.object is Box<[UInt8]>))
        #expect(Payload(value: bytes[...]).value(as: ArraySlice<UInt8>.self) == bytes[...])
        #expect(Payload(value: Item(7, size: count)).value(as: Item.self) == Item(7, size: count))
    }

    @Test("bytes are not copied on their way in and out")
    func identity() throws {
        let space = bytesNamespace().space
        let bytes = [UInt8](repeating: 1, count: 100)
        space.put(CacheKey(low: 1), bytes, tag: CacheTag(kind: 1, 1))
        let found = try #require(space.peek(CacheKey(low: 1)))
        let addresses = (bytes.withUnsafeBytes { $0.baseAddress }, found.withUnsafeBytes { $0.baseAddress })
        #expect(addresses.0 == addresses.1)
    }

    @Test("changing bytes after a put or a read changes a copy")
    func copies() throws {
        let space = bytesNamespace().space
        var bytes = [UInt8](repeating: 1, count: 100)
        space.put(CacheKey(low: 1), bytes, tag: CacheTag(kind: 1, 1))
        bytes[0] = 2
        var found = try #require(space.peek(CacheKey(low: 1)))
        found[1] = 3
        found.append(4)
        #expect(space.peek(CacheKey(low: 1)) == [UInt8](repeating: 1, count: 100))
    }

    @Test("the same bytes under several keys depend on the tags of each key alone", arguments: 0..<8)
    func sharedBytes(changed: UInt64) {
        let (cache, space) = bytesNamespace()
        let bytes = [UInt8](repeating: 1, count: 100)
        // 0 to 7 tags: the first two are in the record, the rest beside it.
        let tags = (0..<8 as Range<UInt64>).map { CacheTag(kind: 1, $0 &* 1_000) }
        for key in 0..<8 as Range<UInt64> { space.put(CacheKey(low: key), bytes, tags: Array(tags.prefix(Int(key)))) }
        cache.invalidate([tags[Int(changed)]])
        for key in 0..<8 as Range<UInt64> {
            #expect(space.peek(CacheKey(low: key)) == (key > changed ? nil : bytes))
        }
    }

    @Test("bytes are released with their entry")
    func release() {
        let space = bytesNamespace().space
        weak var held: AnyObject?
        do {
            let payload = Payload(value: [UInt8](repeating: 1, count: 100))
            held = payload.object
            space.put(CacheKey(low: 1), payload.value(as: [UInt8].self), tags: [])
        }
        #expect(held != nil)
        space.put(CacheKey(low: 1), [2], tags: [])
        #expect(held == nil)
    }

    private func bytesNamespace() -> (cache: Cache, space: CacheNamespace<CacheKey, [UInt8]>) {
        let cache = CacheFixture().make()
        let space = cache.namespace(.plain, key: CacheKey.self, value: [UInt8].self)
        cache.open()
        return (cache, space)
    }
}

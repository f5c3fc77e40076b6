import SparkKit
import Testing

@Suite("Hash of an answer")
struct FNV1aTests {
    @Test("the hash is FNV-1a with 64 bits")
    func hash() {
        #expect(FNV1a.hexadecimal(of: "".utf8) == "cbf29ce484222325")
        #expect(FNV1a.hexadecimal(of: "a".utf8) == "af63dc4c8601ec8c")
        #expect(FNV1a.hexadecimal(of: "foobar".utf8) == "85944171f73967e8")
    }
}

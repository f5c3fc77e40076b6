import Testing

@testable import SparkHTTP

@Suite("The Host field")
struct HostFieldTests {
    @Test(
        "names, addresses, ports and an empty text are valid",
        arguments: [
            "", "spark", "spark.example:7775", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:65535", "xn--mller-kva.example",
            "a_b.example", "a%C3%BC.example", "spark:", "[v1.a:b]",
        ])
    func valid(text: String) {
        #expect(HostField.isValid(text))
    }

    @Test(
        "any other text is not",
        arguments: [
            "a b", "a,b", "a/b", "a@b", "<script>", "\"", "[::1", "::1", "[]", "[::1]x", "[::1] :1", "a:b", "a:65536", "a:123456",
            "a:-1",
            "a:1:2", "%00", "%", "%4", "%zz", "ü.example", "a\u{7F}", "a\u{0}", "a?b", "a#b", "a\\b",
        ])
    func invalid(text: String) {
        #expect(!HostField.isValid(text))
    }
}

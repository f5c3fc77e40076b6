import Testing

@testable import SparkBackup

@Suite("Documents of S3")
struct S3DocumentTests {
    private func read(_ text: String) -> S3Document? { S3Document(Array(text.utf8)) }

    @Test("are read with attributes, references, empty elements, comments and blanks")
    func read() throws {
        let document = try #require(
            read(
                """
                \u{FEFF}<?xml version="1.0" encoding="UTF-8"?>

                <!-- a > b -->
                <List xmlns="http://s3.amazonaws.com/doc/2006-03-01/" a='1 > 0'>
                  <Key>a&amp;b &lt;c&gt; &quot;&apos; &#228; &#x1F600; ]]</Key><Empty/><Empty a="/" /><Entry ><Key>1</Key></Entry >
                  <Entry><Key>2</Key></Entry>
                </List>

                """))
        #expect(document.name == "List")
        #expect(document["Key"] == "a&b <c> \"' ä 😀 ]]")
        #expect(document["Empty"] == "" && document["Nothing"] == nil && document.all("Empty").count == 2)
        #expect(document.all("Entry").map { $0["Key"] } == ["1", "2"])
    }

    @Test(
        "are refused when they are not well-formed, or do what S3's never do",
        arguments: [
            "", " ", "text", "<a>", "<a></b>", "<a/><b/>", "<a></a>x", "x<a/>", "</a>", "<a", "<a b='>", "<a><b></a></b>",
            "<>x</>",
            "<a>&unknown;</a>", "<a>&amp</a>", "<a>&#xD800;</a>", "<a>&#x110000;</a>", "<a>&#-5;</a>", "<!DOCTYPE a><a/>",
            "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "<a><![CDATA[x]]></a>", "<?xml", "<!-- <a/>", "<a<b>", "< a/>",
            String(repeating: "<a>", count: 17) + String(repeating: "</a>", count: 17), String(repeating: "<a>", count: 100_000),
        ])
    func refuse(_ text: String) { #expect(read(text) == nil) }

    @Test("are refused when cut off anywhere, or when they are not UTF-8")
    func truncated() {
        let text = Array("<?xml version=\"1.0\"?><a b=\"c\"><d>e&lt;f</d><g/><!-- h --></a>".utf8)
        #expect(S3Document(text) != nil)
        for length in 0..<text.count { #expect(S3Document(Array(text[..<length])) == nil, "\(length)") }
        #expect(S3Document(Array("<a>".utf8) + [0xFF] + Array("</a>".utf8)) == nil)
    }

    @Test("never trap, whatever the bytes are")
    func noise() {
        let parts = ["<", ">", "/", "a", "=", "\"", "'", "&", ";", "#", "x", "!", "--", "?", " ", "\u{FEFF}", "<a>", "</a>"]
        for seed in 0..<3_000 {
            let indices = AgeTests.bytes(24, seed: UInt64(seed))
            _ = read(indices.map { parts[Int($0) % parts.count] }.joined())
        }
    }
}

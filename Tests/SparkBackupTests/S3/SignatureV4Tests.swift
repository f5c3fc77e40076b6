import SparkBackup
import SparkCore
import Testing

/// The values are those of AWS's documentation: "Examples: signature calculations" of S3, and the test suite of Signature Version 4.
@Suite("Signature Version 4")
struct SignatureV4Tests {
    private static let signature = SignatureV4(
        S3Credentials(accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        region: "us-east-1")
    private static let host = "examplebucket.s3.amazonaws.com"
    /// 2013-05-24T00:00:00Z
    private static let time = Timestamp(milliseconds: 1_369_353_600_000)

    private func authorization(_ request: SignatureV4.Request) -> String? {
        Self.signature.headers(of: request, at: Self.time).first { $0.name == "authorization" }?.value
    }

    private func scope(_ names: String, _ signature: String) -> String {
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=\(names),Signature=\(signature)"
    }

    @Test("of a request for a part of an object")
    func get() {
        var request = SignatureV4.Request("GET", host: Self.host, path: "/test.txt")
        request.headers = [("Range", "bytes=0-9")]
        #expect(
            authorization(request)
                == scope(
                    "host;range;x-amz-content-sha256;x-amz-date",
                    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"))
        let headers = Self.signature.headers(of: request, at: Self.time)
        #expect(headers.first { $0.name == "x-amz-date" }?.value == "20130524T000000Z")
        #expect(headers.first { $0.name == "x-amz-content-sha256" }?.value == SignatureV4.emptyDigest)
    }

    @Test("of an upload, whose name needs encoding")
    func put() {
        var request = SignatureV4.Request(
            "PUT", host: Self.host, path: "/test$file.text",
            bodyDigest: "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072")
        request.headers = [("Date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", " REDUCED_REDUNDANCY ")]
        #expect(
            authorization(request)
                == scope(
                    "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
                    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"))
        #expect(request.target == "/test%24file.text")
    }

    @Test("of a query without a value, and of one whose parts are sorted")
    func query() {
        var request = SignatureV4.Request("GET", host: Self.host, path: "/")
        request.query = [("lifecycle", "")]
        let names = "host;x-amz-content-sha256;x-amz-date"
        #expect(
            authorization(request) == scope(names, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"))
        request.query = [("prefix", "J"), ("max-keys", "2")]
        #expect(
            authorization(request) == scope(names, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"))
        #expect(request.target == "/?max-keys=2&prefix=J")
    }

    @Test("of another service, as in the suite's get-vanilla")
    func vanilla() {
        let signature = SignatureV4(
            S3Credentials(accessKey: "AKIDEXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), region: "us-east-1",
            service: "service")
        let request = SignatureV4.Request("GET", host: "example.amazonaws.com", path: "/")
        // 2015-08-30T12:36:00Z
        let headers = signature.headers(of: request, at: Timestamp(milliseconds: 1_440_938_160_000))
        #expect(
            headers.first { $0.name == "authorization" }?.value.hasSuffix(
                "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31") == true)
    }

    @Test("covers the token of temporary credentials, and encodes what is not plain")
    func token() {
        let signature = SignatureV4(S3Credentials(accessKey: "A", secretKey: "B", sessionToken: "T"), region: "r")
        var request = SignatureV4.Request("GET", host: "h", path: "/ä b/c+d~e/%")
        request.query = [("p", "a/b c=&"), ("P", "1")]
        let headers = signature.headers(of: request, at: Self.time)
        #expect(headers.first { $0.name == "authorization" }?.value.contains(";x-amz-security-token,") == true)
        #expect(request.target == "/%C3%A4%20b/c%2Bd~e/%25?P=1&p=a%2Fb%20c%3D%26")
    }
}

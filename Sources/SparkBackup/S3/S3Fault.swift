import AsyncHTTPClient
import Foundation
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Why one attempt of a request failed.
enum S3Fault: Error {
    /// Another attempt may succeed, not before the given time.
    /// - Parameter lasting: what the store reports if no attempt succeeds; nil for `.unavailable` with the reason.
    case temporary(String, after: Duration? = nil, lasting: BackupStoreError? = nil)
    case final(BackupStoreError)
    /// The object is no longer the one whose first part was read.
    case changed

    /// An answer other than success.
    /// - Parameters:
    ///   - name: of the object that the request asks for; nil for other requests.
    ///   - body: the beginning of the answer.
    init(_ status: HTTPResponseStatus, _ headers: HTTPHeaders, body: [UInt8], bucket: String, name: String?) {
        let document = S3Document(body).flatMap { $0.name == "Error" ? $0 : nil }
        // A code is a word; anything else is not repeated in a message.
        let code = document?["Code"].flatMap { Self.isWord($0) ? $0 : nil }
        let region = (headers.first(name: "x-amz-bucket-region") ?? document?["Region"]).flatMap { Self.isWord($0) ? $0 : nil }
        let said = "\(status.code)\(code.map { " \($0)" } ?? "")"
        let pause = headers.first(name: "retry-after").flatMap(Int.init).map { Duration.seconds(min(max($0, 0), 3_600)) }
        self =
            switch (status.code, code) {
            case (404, "NoSuchBucket"): .final(.refused("there is no bucket \(bucket) (\(said)): make it, or correct the place"))
            case (404, _) where name != nil: .final(.missing(name ?? ""))
            case (404, "NoSuchUpload"): .final(.missing("upload"))
            case (404, _):
                .final(.refused("the storage does not know the bucket \(bucket) (\(said)): correct the place or the endpoint"))
            case (412, _), (416, _): .changed
            case (_, "RequestTimeTooSkewed"):
                .final(.refused("the clock of this machine differs from the storage's (\(said)): set it, for example by NTP"))
            case (301, _), (302, _), (307, _), (308, _), (_, "AuthorizationHeaderMalformed"), (_, "PermanentRedirect"),
                (_, "IllegalLocationConstraintException"):
                .final(.refused(Self.elsewhere(said, bucket: bucket, region: region)))
            case (_, "InvalidAccessKeyId"), (_, "SignatureDoesNotMatch"), (_, "InvalidToken"), (_, "ExpiredToken"), (401, _):
                .final(
                    .refused(
                        "the storage does not accept the key (\(said)): correct backup.s3_access_key and its secret key, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
                    )
                )
            case (_, "RequestTimeout"), (_, "IncompleteBody"), (_, "BadDigest"), (_, "XAmzContentSHA256Mismatch"),
                (_, "OperationAborted"), (_, "ConditionalRequestConflict"), (408, _), (409, _), (425, _):
                .temporary("the storage answered \(said)", after: pause)
            case (403, _):
                .final(
                    .refused(
                        "the storage does not allow this (\(said)): the key needs the rights to list the bucket \(bucket), and to get, put and delete its objects"
                    ))
            case (507, _): .final(.refused("the storage is full (\(said))"))
            case (501, _), (505, _):
                .final(.refused("the storage does not know this request (\(said)): it is not compatible with S3"))
            case (429, _), (500..., _): .temporary("the storage answered \(said)", after: pause)
            default: .final(.refused("the storage refused the request (\(said))"))
            }
    }

    private static func elsewhere(_ said: String, bucket: String, region: String?) -> String {
        guard let region else {
            return
                "the bucket \(bucket) is at another endpoint (\(said)): correct backup.s3_region or backup.s3_endpoint (AWS_REGION, AWS_ENDPOINT_URL)"
        }
        return "the bucket \(bucket) is in the region \(region) (\(said)): set backup.s3_region or AWS_REGION to \(region)"
    }

    /// An error of the connection, or of reading the file that is sent.
    init(_ error: any Error, host: String) {
        self =
            switch error {
            case let fault as S3Fault: fault
            case let error as BackupStoreError: .final(error)
            case let error as HTTPClientError: Self.fault(of: error, host: host)
            case let error as NIOConnectionError:
                .temporary(
                    error.connectionErrors.isEmpty
                        ? "the name \(host) was not found" : "no connection to \(host) could be opened")
            case let error as IOError where [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT].contains(error.errnoCode):
                .temporary("no connection to \(host) could be opened")
            case let error as NIOSSLError: Self.fault(of: error, host: host)
            case is NIOSSLExtraError: Self.certificate(host)
            default: .temporary("the connection to \(host) was lost")
            }
    }

    private static func fault(of error: HTTPClientError, host: String) -> S3Fault {
        switch error {
        case .deadlineExceeded, .readTimeout, .writeTimeout: .temporary("\(host) was too slow")
        case .connectTimeout, .getConnectionFromPoolTimeout, .tlsHandshakeTimeout: .temporary("\(host) did not answer in time")
        case .alreadyShutdown: .final(.unavailable("the store was closed"))
        case .invalidURL, .emptyHost, .emptyScheme:
            .final(.refused("no request can be made to \(host): correct the endpoint (backup.s3_endpoint, AWS_ENDPOINT_URL)"))
        default: .temporary("the connection to \(host) was lost")
        }
    }

    /// A handshake also fails when the peer hangs up during it; that is not a matter of certificates.
    private static func fault(of error: NIOSSLError, host: String) -> S3Fault {
        switch error {
        case .unableToValidateCertificate, .noCertificateToValidate: certificate(host)
        case .handshakeFailed(.sslError(let stack)) where stack.description.contains("CERTIFICATE"): certificate(host)
        case .handshakeFailed: .temporary("no TLS with \(host)")
        default: .temporary("the connection to \(host) was lost")
        }
    }

    private static func certificate(_ host: String) -> S3Fault {
        .final(
            .refused(
                "the certificate of \(host) is not trusted: name its authority in backup.s3_trusted_roots_file or AWS_CA_BUNDLE, or set the clock of this machine"
            ))
    }

    static func isWord(_ text: String) -> Bool { text.utf8.count <= 64 && text.isPlain(or: "-_.") }
}

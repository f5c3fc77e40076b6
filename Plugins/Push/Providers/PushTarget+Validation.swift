import Crypto

extension PushProviderSettings {
    /// Why a device cannot be registered with this target, as a constant text; nil when it can. Checks only the form and the host
    /// list, without network access: whether the host is public is checked at each push.
    func fault(of target: PushTarget) -> String? {
        switch target.service {
        case .apns: target.faultOfAPNsToken
        case .fcm: target.faultOfFCMToken
        case .webpush: target.faultOfSubscription(EndpointPolicy(self))
        case .log: target.token.utf8.count <= 2_048 ? nil : "the token is too long"
        }
    }
}

extension PushTarget {
    /// Apple: "the hexadecimal bytes of the device token". 32 bytes today; Apple announces a variable length.
    fileprivate var faultOfAPNsToken: String? {
        guard (64...200).contains(token.utf8.count), token.utf8.count % 2 == 0 else {
            return "the token does not have 64 to 200 hexadecimal digits"
        }
        return token.utf8.allSatisfy(\.isHexadecimalDigit) ? nil : "the token does not have 64 to 200 hexadecimal digits"
    }

    /// Google publishes no grammar; only these characters occur.
    fileprivate var faultOfFCMToken: String? {
        guard (16...2_048).contains(token.utf8.count) else { return "the token does not have 16 to 2048 characters" }
        let marks = Array("_-:.".utf8)
        return token.utf8.allSatisfy { $0.isLetterOrDigit || marks.contains($0) }
            ? nil : "the token has other characters than letters, digits, _ - : and ."
    }

    fileprivate func faultOfSubscription(_ policy: EndpointPolicy) -> String? {
        if case .failure(let fault) = policy.endpoint(of: token) { return fault.words }
        guard publicKey.count == 65, (try? P256.KeyAgreement.PublicKey(x963Representation: publicKey)) != nil else {
            return "p256dh is not an uncompressed point of P-256"
        }
        return secret.count == WebPushMessage.secretLength ? nil : "auth does not have 16 bytes"
    }
}

extension UInt8 {
    var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }

    var isLetterOrDigit: Bool {
        isDigit || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self)
            || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self)
    }

    var isHexadecimalDigit: Bool {
        isDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(self)
            || (UInt8(ascii: "A")...UInt8(ascii: "F")).contains(self)
    }
}

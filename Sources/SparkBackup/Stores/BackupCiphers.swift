public import Foundation
import SparkFiles

/// Encrypts the files of a backup before they go into a store.
public protocol BackupSealing: Sendable {
    /// The end of the names of encrypted objects, such as `.age`.
    var suffix: String { get }
    /// Writes the encrypted content of a file into a new file, in pieces. Blocks.
    /// - Throws: `BackupError`, or `FileError` if the disk fails or is full.
    func seal(_ file: URL, into sealed: URL) throws
}

/// Decrypts the files of a backup after they came from a store.
public protocol BackupOpening: Sendable {
    /// Writes the content of an encrypted file into a new file, in pieces. Blocks.
    /// - Throws: `BackupError`, `.damaged` if the file was changed or is not whole, `.refused` if no identity fits; or `FileError`.
    func open(_ sealed: URL, into file: URL) throws
}

/// Makes the ciphers that an operator's recipients and identities name.
public enum BackupCiphers {
    /// - Parameter recipients: public keys of age; empty for backups that are not encrypted.
    /// - Returns: nil without recipients.
    /// - Throws: `BackupError` that names a recipient which cannot be used.
    public static func sealing(_ recipients: [String]) throws -> (any BackupSealing)? {
        guard !recipients.isEmpty else { return nil }
        return AgeSealing(
            recipients: try recipients.map { text in
                do throws(AgeError) {
                    return try AgeRecipient(text)
                } catch {
                    throw BackupError.refused("\(text.prefix(80)): \(error)")
                }
            })
    }

    /// - Parameter identities: the files with the private keys. Blocks on the disk.
    /// - Returns: nil without identities.
    /// - Throws: `BackupError` that names a file which cannot be used.
    public static func opening(_ identities: [URL]) throws -> (any BackupOpening)? {
        guard !identities.isEmpty else { return nil }
        return AgeOpening(
            identities: try identities.flatMap { file in
                do {
                    return try AgeIdentity.identities(inFile: file.path)
                } catch {
                    throw BackupError.refused("\(file.path): \(error)")
                }
            })
    }
}

/// Encryption for the owners of some keys.
private struct AgeSealing: BackupSealing {
    let recipients: [AgeRecipient]

    var suffix: String { ".age" }

    func seal(_ file: URL, into sealed: URL) throws {
        do {
            try Age.encrypt(file, to: recipients, into: sealed)
        } catch let error as AgeError {
            throw BackupError.refused("\(error)")
        }
    }
}

/// Decryption with some keys.
private struct AgeOpening: BackupOpening {
    let identities: [AgeIdentity]

    func open(_ sealed: URL, into file: URL) throws {
        do {
            try Age.decrypt(sealed, with: identities, into: file)
        } catch AgeError.otherRecipients {
            throw BackupError.refused("\(AgeError.otherRecipients)")
        } catch let error as AgeError {
            throw BackupError.damaged("\(error)")
        }
    }
}

/// The commands of the operators' pages that no test runs, and programs that a machine may lack. A test finds what is no longer
/// on any page.
enum UnrunCommands {
    /// The beginning of a command, and why it cannot run in a test.
    static let reasons: [(words: String, reason: String)] = [
        ("apt install", "it would install a package on the machine"),
        ("systemctl", "there is no service manager that the test may command"),
        ("journalctl", "the machine's journal has no lines of this server"),
        ("coredumpctl", "there is no core dump"),
        ("addr2line", "it needs the symbols of a release build"),
        ("make", "it builds the sources"),
        ("certbot", "it asks Let's Encrypt for a certificate"),
        ("chown", "there is no user for the server"),
        ("install -d -o spark", "there is no user for the server"),
        ("install -d -g spark", "there is no user for the server"),
        ("useradd", "it would make a user on the machine"),
        ("curl -fsS https://spark.example.org/readyz", "it asks a server on the internet"),
        ("spark health --url https://spark.example.org", "it asks a server on the internet"),
        ("mv", "it would take the data directory away from the server that runs"),
        ("ssh", "it goes to another machine"), ("scp", "it goes to another machine"),
        ("dpkg-deb", "there is no package of that version"),
        ("new-spark/usr/bin/spark", "it is in a package that is not there"),
        ("install -m 755", "it would install a program on the machine"),
        ("cp -p /usr/local/bin/spark", "no program is installed there"),
        ("cp -p /usr/local/bin/spark.before", "no program is installed there"),
        ("cp /root/spark.erasures", "there is no such list"),
        ("rm -f /root/spark.erasures", "there is no such list"),
        ("rm -rf /var/lib/spark", "it would take the data directory away from the server that runs"),
        ("spark restore /mnt/move --data /var/lib/spark", "the server that runs has its data there"),
        ("shred", "it would take the data directory away from the server that runs"),
        ("spark serve", "it serves until it is stopped; other tests run it"),
    ]

    /// Programs of other packages. Where one is missing, its commands are skipped.
    static let outside: Set<String> = ["age", "jq", "logrotate", "lz4", "promtool"]

    static func reason(_ command: PageCommand) -> String? { reasons.first { command.has($0.words) }?.reason }
}

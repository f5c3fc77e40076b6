/// A systemd unit that runs the server as its own user with access only to its data directory (systemd.exec(5)).
package enum SystemdUnit {
    /// - Parameters:
    ///   - binary: the absolute path of `spark`.
    ///   - stopSeconds: the longest time that the server takes to stop.
    ///   - settings: the absolute path of the file that the server reads; nil for none.
    ///   - user: an existing user who runs the server; nil for one that exists only while it runs.
    ///   - opensLowPorts: whether it opens a port below 1024 itself.
    ///   - backups: the folder of the backups, from the root, if it is not in the data directory.
    package static func text(
        binary: String, stopSeconds: Int, settings: String? = nil, user: String? = nil, opensLowPorts: Bool = false,
        backups: String? = nil
    ) -> String {
        let capabilities = opensLowPorts ? "CAP_NET_BIND_SERVICE" : ""
        let place = backups.map(quoted)
        return """
            # Made by spark export systemd-unit. Save as /etc/systemd/system/spark.service, then: systemctl enable --now spark
            # Settings: \(settings.map { "\($0), and " } ?? "")/etc/spark/spark.env with lines such as SPARK_HTTP_LISTEN=127.0.0.1:7775 (spark config env lists them all).
            # With spark.socket (spark export systemd-socket) the socket stays open while the server restarts.

            [Unit]
            Description=Spark, a dating backend
            After=network-online.target
            Wants=network-online.target\(place.map { "\nRequiresMountsFor=\($0)" } ?? "")
            # Exit code 74: the disk failed a write. Started again, but not forever.
            StartLimitIntervalSec=10min
            StartLimitBurst=5

            [Service]
            Type=notify
            NotifyAccess=main
            ExecStart=\(binary) serve --data /var/lib/spark\(settings.map { " --config \($0)" } ?? "")
            EnvironmentFile=-/etc/spark/spark.env
            Restart=on-failure
            RestartSec=1s
            TimeoutStartSec=5min
            TimeoutStopSec=\(stopSeconds)s
            LimitNOFILE=1048576
            # When memory runs out, a drill of the backups is ended first, and the server goes on.
            OOMPolicy=continue

            # The data is in /var/lib/spark and is readable for this user alone\(user == nil ? ", who exists only while the service runs" : "").
            \(user.map { "User=\($0)\nGroup=\($0)" } ?? "DynamicUser=yes")
            StateDirectory=spark
            StateDirectoryMode=0700
            WorkingDirectory=%S/spark
            UMask=0077\(place.map { "\n# The backups (backup.to). A folder that is missing does not keep the server from starting, a disk that cannot be mounted does.\nReadWritePaths=\(marked($0))" } ?? "")

            # Sees only the parts of the system that it needs, and gains no rights.
            NoNewPrivileges=yes
            ProtectSystem=strict
            ProtectHome=yes
            PrivateTmp=yes
            PrivateDevices=yes
            ProtectProc=invisible
            ProtectClock=yes
            ProtectHostname=yes
            ProtectKernelTunables=yes
            ProtectKernelModules=yes
            ProtectKernelLogs=yes
            ProtectControlGroups=yes
            RestrictNamespaces=yes
            RestrictRealtime=yes
            RestrictSUIDSGID=yes
            RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
            LockPersonality=yes
            MemoryDenyWriteExecute=yes
            RemoveIPC=yes
            CapabilityBoundingSet=\(capabilities)
            AmbientCapabilities=\(capabilities)
            SystemCallArchitectures=native
            SystemCallFilter=@system-service
            SystemCallFilter=~@privileged
            SystemCallErrorNumber=EPERM

            [Install]
            WantedBy=multi-user.target

            """
    }

    /// A path as a word of a unit (systemd.syntax(7)).
    private static func quoted(_ path: String) -> String {
        let escaped = path.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("%", with: "%%")
        return escaped.contains(where: { $0.isWhitespace || $0 == "\"" || $0 == "'" || $0 == "\\" }) ? "\"\(escaped)\"" : escaped
    }

    /// A word of a path that may be missing.
    private static func marked(_ word: String) -> String { word.hasPrefix("\"") ? "\"-\(word.dropFirst())" : "-\(word)" }
}

/// A systemd unit that runs the server as its own user with access only to its data directory (systemd.exec(5)).
package enum SystemdUnit {
    /// - Parameters:
    ///   - binary: the absolute path of `spark`.
    ///   - stopSeconds: the longest time that the server takes to stop.
    package static func text(binary: String, stopSeconds: Int) -> String {
        """
        # Made by spark export systemd-unit. Save as /etc/systemd/system/spark.service, then: systemctl enable --now spark
        # Settings: /etc/spark/spark.env holds lines such as SPARK_HTTP_LISTEN=127.0.0.1:7775 (spark config env lists them all).

        [Unit]
        Description=Spark, a dating backend
        After=network-online.target
        Wants=network-online.target
        # Exit code 74: the disk failed a write. Started again, but not forever.
        StartLimitIntervalSec=10min
        StartLimitBurst=5

        [Service]
        Type=notify
        NotifyAccess=main
        ExecStart=\(binary) serve --data /var/lib/spark
        EnvironmentFile=-/etc/spark/spark.env
        Restart=on-failure
        RestartSec=1s
        TimeoutStartSec=5min
        TimeoutStopSec=\(stopSeconds)s
        LimitNOFILE=1048576

        # A user that exists only while the service runs; its data is in /var/lib/spark and is readable for it alone.
        DynamicUser=yes
        StateDirectory=spark
        StateDirectoryMode=0700
        WorkingDirectory=%S/spark
        UMask=0077

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
        CapabilityBoundingSet=
        AmbientCapabilities=
        SystemCallArchitectures=native
        SystemCallFilter=@system-service
        SystemCallFilter=~@privileged
        SystemCallErrorNumber=EPERM

        [Install]
        WantedBy=multi-user.target

        """
    }
}

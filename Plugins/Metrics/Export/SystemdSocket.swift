/// A systemd unit that holds the public socket (systemd.socket(5)). While the server restarts, connections wait in its queue.
package enum SystemdSocket {
    /// - Parameter address: where people reach the server: `127.0.0.1:7775`.
    package static func text(address: String) -> String {
        """
        # Made by spark export systemd-socket. Save as /etc/systemd/system/spark.socket, then: systemctl enable --now spark.socket
        # http.listen has no effect beside this unit. To listen elsewhere: systemctl edit spark.socket, with an empty ListenStream= first.

        [Unit]
        Description=The socket of Spark, which stays open while the server restarts

        [Socket]
        ListenStream=\(address)
        FileDescriptorName=public
        Accept=no
        Backlog=4096

        [Install]
        WantedBy=sockets.target

        """
    }
}

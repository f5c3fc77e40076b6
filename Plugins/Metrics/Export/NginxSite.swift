/// A site for nginx: TLS, connections that last to the server, WebSocket, and event streams without delay.
package enum NginxSite {
    /// The file's text, for `/etc/nginx/conf.d`.
    package static func text(_ site: ProxySite) -> String {
        """
        # Made by spark export nginx. Save as /etc/nginx/conf.d/spark.conf, then: nginx -t && nginx -s reload
        # After a new certificate nginx must be told, too: certbot renew --deploy-hook 'nginx -s reload'
        \(site.settings("#"))

        upstream spark {
            server \(site.upstream);
            keepalive 64;
            keepalive_timeout \(site.upstreamIdleSeconds)s;
        }

        map $http_upgrade $spark_connection {
            default upgrade;
            ""      "";
        }

        server {
            listen \(site.httpPort);
            listen [::]:\(site.httpPort);
            server_name \(site.domain);
            access_log off;
            location /.well-known/acme-challenge/ { root /var/www/html; }
            location / { return 308 https://\(site.domain)\(site.httpsPort == 443 ? "" : ":\(site.httpsPort)")$request_uri; }
        }

        server {
            listen \(site.httpsPort) ssl http2;
            listen [::]:\(site.httpsPort) ssl http2;
            server_name \(site.domain);

            ssl_certificate     \(site.certificate);
            ssl_certificate_key \(site.key);
            ssl_protocols TLSv1.2 TLSv1.3;
            ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305;
            ssl_session_cache shared:spark:10m;
            ssl_session_timeout 1d;
            add_header Strict-Transport-Security "max-age=31536000" always;
            server_tokens off;
            # Addresses and tickets of people would be in it. Spark's own log (server.access_log) has neither.
            access_log off;

            # As in Spark, which refuses what is longer itself. Nothing of people is written to temporary files.
            client_max_body_size \(site.bodyKibibytes)k;
            client_body_buffer_size \(site.bodyKibibytes)k;
            proxy_max_temp_file_size 0;
            large_client_header_buffers 4 16k;
            client_header_timeout \(site.requestSeconds)s;
            client_body_timeout \(site.requestSeconds)s;
            keepalive_timeout \(site.idleSeconds)s;

            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Connection $spark_connection;
            proxy_set_header Upgrade $http_upgrade;
            # The client's address as nginx sees it, whatever the client says.
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_connect_timeout 5s;
            proxy_read_timeout \(site.answerSeconds)s;

            location / {
                proxy_pass http://spark;
            }

            # WebSocket, event stream and poll: silent between two heartbeats, and sent as they come.
            location ~ ^/api/v1/(ws|stream|poll)(/|$) {
                proxy_pass http://spark;
                proxy_buffering off;
                proxy_read_timeout \(site.streamSeconds)s;
                proxy_send_timeout \(site.streamSeconds)s;
            }
        }

        """
    }
}

/// A Dockerfile that builds the server from source and runs it without root in an otherwise empty image.
package enum Dockerfile {
    /// - Parameter port: the server's port in the container.
    package static func text(port: Int) -> String {
        """
        # Made by spark export dockerfile. In the folder of the sources: docker build -t spark . && docker run --restart on-failure:5 -p \(port):\(port) -v spark:/data spark
        FROM swift:6.3-bookworm AS build
        RUN apt-get update \\
            && apt-get install -y --no-install-recommends libsqlite3-dev libspatialite-dev liblz4-dev zlib1g-dev \\
            && rm -rf /var/lib/apt/lists/*
        WORKDIR /src
        # Package.resolved is copied when there is one; a clean clone has none.
        COPY Package.* ./
        RUN swift package resolve
        COPY . .
        RUN swift build -c release --static-swift-stdlib --product spark && install -s .build/release/spark /usr/local/bin/spark

        FROM debian:bookworm-slim
        RUN apt-get update \\
            && apt-get install -y --no-install-recommends \\
                ca-certificates libsqlite3-0 libspatialite7 liblz4-1 zlib1g libstdc++6 \\
            && rm -rf /var/lib/apt/lists/* \\
            && useradd --system --uid 7775 --home-dir /data --shell /usr/sbin/nologin spark \\
            && install -d -o spark -g spark -m 0700 /data
        COPY --from=build /usr/local/bin/spark /usr/local/bin/spark
        USER spark
        WORKDIR /data
        VOLUME /data
        EXPOSE \(port)
        STOPSIGNAL SIGTERM
        HEALTHCHECK --interval=15s --timeout=4s --start-period=60s --retries=3 CMD ["spark", "health", "--data", "/data"]
        ENTRYPOINT ["spark"]
        CMD ["serve", "--data", "/data", "--listen", "0.0.0.0:\(port)"]

        """
    }
}

# run · test · soak · bench · bench-cache · bench-chat · bench-match · bench-metrics · autobahn · format: each works on a fresh Debian 12 machine with Swift 6.3.

SYSTEM_PACKAGES := libsqlite3-dev libspatialite-dev liblz4-dev zlib1g-dev
DATA ?= spark_data
PEOPLE ?= 10000
SPARK := .build/release/spark
PROBES ?= 2000
SHELL := /bin/bash
# SwiftPM's warnings about files in other people's packages: nothing that can be done here.
QUIETLY := 2> >(grep -v -e "found [0-9]* file(s) which are unhandled" -e "/checkouts/.*CMakeLists.txt$$" >&2)
SUDO := $(shell [ "$$(id -u)" = 0 ] || command -v sudo)

.PHONY: toolchain run test soak bench bench-cache bench-chat bench-match bench-metrics autobahn format packages release

## Builds, makes a demo town when the data directory is new, serves on 127.0.0.1:7775.
run: release
	@$(SPARK) seed --if-new --people $(PEOPLE) --data $(DATA)
	@exec $(SPARK) serve --data $(DATA)

## Everything but the benchmarks. All tests at once would starve each other on few processors: those with a deadline would miss it.
## The tests are Swift Testing's; without the switch, XCTest would report that it ran none.
test: packages
	swift test --disable-xctest --experimental-maximum-parallelization-width 8 $(QUIETLY)

## The heavy tests at full size, and a stranger's package built from outside.
soak: packages
	SPARK_SOAK=1 swift test --disable-xctest --filter 'IntegrationTests|MatchingTests'
	SPARK_SOAK=1 swift test --disable-xctest -c release -Xswiftc -enable-testing --scratch-path .build/soak --filter 'SparkCacheTests|Push and kill|Push under load|PushCrashTests|PushLoadTests'
	SPARK_WORLDS=100000 swift test --disable-xctest -c release -Xswiftc -enable-testing --scratch-path .build/soak --filter SparkDecksTests
	cd Tests/OutsidePackage && swift test

## Server beside its peers; installs wrk and nginx.
bench: release
	Tests/Performance/run

## The cache beside Redis and memcached, its simulator beside libCacheSim; installs what is missing. Takes some minutes.
bench-cache: release
	Tests/Performance/cache

## Decks beside tuned PostGIS and Redis on the same people, then over HTTP; installs what is missing. Takes some minutes.
bench-match: PEOPLE = 1000000
bench-match: release
	Tests/Performance/match --people $(PEOPLE) --probes $(PROBES) --server

## The WebSocket layer before the Autobahn test suite; needs a Python 2.7 or pyenv. Takes two minutes.
autobahn: release
	python3 Tests/Performance/autobahn.py $(SPARK)

## Chat over 10,000 sockets, then the same load on ejabberd; installs that when it is missing. Takes some minutes.
bench-chat: release
	Tests/Performance/chat

## What recording a metric costs, and a scrape; then metrics, rules and dashboard before a real Prometheus, installed when it is missing.
bench-metrics: release
	$(SPARK) bench metrics
	Tests/Performance/metrics

format:
	swift format format -i -r Sources Plugins Tests Package.swift

release: packages
	swift build -c release --static-swift-stdlib --product spark $(QUIETLY)

## Says what is missing, before anything is installed.
toolchain:
	@command -v swift >/dev/null || { \
	    echo "make: Swift 6.3 is needed and not on the PATH. https://www.swift.org/install/linux/ installs it (Swiftly, or the archive for Debian 12)." >&2; \
	    exit 1; \
	}

## Installs the system packages that are missing, and says so.
packages: toolchain
	@missing=""; for package in $(SYSTEM_PACKAGES); do \
	    dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q "ok installed" || missing="$$missing $$package"; \
	done; \
	if [ -n "$$missing" ]; then \
	    echo "Installing system packages:$$missing"; \
	    $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq --no-install-recommends $$missing; \
	fi

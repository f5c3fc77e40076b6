# Each target works on a fresh Debian 12 machine with Swift 6.3. `make help` lists them.

SYSTEM_PACKAGES := libsqlite3-dev libspatialite-dev liblz4-dev zlib1g-dev
DATA ?= spark_data
PEOPLE ?= 10000
SPARK := .build/release/spark
BENCH := .build/release/spark-bench
PROBES ?= 2000
TEST_FLAGS ?=
SHELL := /bin/bash
# Hides SwiftPM's warnings about files in packages of others; they cannot be fixed here.
QUIETLY := 2> >(grep -v -e "found [0-9]* file(s) which are unhandled" -e "/checkouts/.*CMakeLists.txt$$" >&2)
# Overlapping accesses to a variable are found by the tests, whose builds check each access; in the server the checks took a tenth of the
# instructions of a request. No symbol is exported, so that the linker drops unused code, and relocations are packed (this needs glibc 2.36). LLVM's linker is
# several times faster than the default one.
RELEASE := -c release --static-swift-stdlib -Xswiftc -enforce-exclusivity=unchecked -Xswiftc -use-ld=lld -Xlinker --no-export-dynamic -Xlinker -z -Xlinker pack-relative-relocs
STRIPPED := -Xlinker --strip-all
SUDO := $(shell [ "$$(id -u)" = 0 ] || command -v sudo)

.PHONY: help toolchain run test soak bench bench-cache bench-chat bench-match bench-metrics bench-backup bench-fixture autobahn clients format packages release schema symbols spark-bench package

## Builds, makes a demo town if the data directory is new, and serves on 127.0.0.1:7775.
run: release
	@$(SPARK) seed --if-new --people $(PEOPLE) --data $(DATA)
	@exec $(SPARK) serve --data $(DATA)

# The width bounds how many tests run at once: on few processors more would starve tests with a deadline. All tests use Swift Testing;
# without the switch, XCTest would report that it ran none.
## Runs every test except the benchmarks.
test: packages
	swift test --disable-xctest --experimental-maximum-parallelization-width 8 $(TEST_FLAGS) $(QUIETLY)

## Runs the heavy tests at full size, and builds and tests a package that depends on Spark from outside.
soak: release
	SPARK_SOAK=1 swift test --disable-xctest --filter 'IntegrationTests|MatchingTests'
	SPARK_SOAK=1 swift test --disable-xctest -c release -Xswiftc -enable-testing --scratch-path .build/soak --filter 'SparkCacheTests|Push and kill|Push under load|PushCrashTests|PushLoadTests'
	SPARK_WORLDS=100000 swift test --disable-xctest -c release -Xswiftc -enable-testing --scratch-path .build/soak --filter SparkDecksTests
	cd Tests/OutsidePackage && swift test
	Tests/Benchmarks/crash
	Tests/Benchmarks/soak
	Tests/Benchmarks/package "$$(packaging/debian/build $(SPARK) .build)"

## Measures routes, writes, cache and decks beside nginx, C and plain code; fails when a ratio is below its threshold. Takes ten minutes.
bench: release spark-bench
	Tests/Benchmarks/run

## Measures the cache beside Redis and memcached, and its simulator beside libCacheSim; installs what is missing. Takes some minutes.
bench-cache: spark-bench
	Tests/Benchmarks/cache

## Measures decks beside tuned PostGIS and Redis on the same people, then over HTTP; installs what is missing. Takes some minutes.
bench-match: PEOPLE = 1000000
bench-match: release spark-bench
	Tests/Benchmarks/match --people $(PEOPLE) --probes $(PROBES) --server

## Runs the Autobahn test suite on the WebSocket layer; needs Python 2.7 or pyenv. Takes two minutes.
autobahn: release
	python3 Tests/Benchmarks/autobahn.py $(SPARK)

## Measures chat over 10,000 sockets, then the same load on ejabberd; installs ejabberd if it is missing. Takes some minutes.
bench-chat: release spark-bench
	Tests/Benchmarks/chat

## Measures recording and scraping of metrics, then checks metrics, rules and dashboard with Prometheus; installs it if it is missing.
bench-metrics: release spark-bench
	$(BENCH) metrics
	Tests/Benchmarks/metrics

## Tests the clients in data/clients and the generators of others; installs what is missing, in .build/clients where that is possible.
clients: SYSTEM_PACKAGES += nodejs node-typescript python3-venv
clients: packages
	test -x .build/clients/bin/mypy || python3 -m venv .build/clients
	.build/clients/bin/pip install -q mypy pytest pytest-xdist openapi-python-client datamodel-code-generator
	PATH="$$PWD/.build/clients/bin:$$PATH" swift test --disable-xctest --filter 'ClientPackagesTests|ClientGeneratorTests' $(QUIETLY)

## Measures writes beside a backup of a million people, restarts under load, and merging of the archive. Takes twenty minutes.
bench-backup: PEOPLE = 1000000
bench-backup: release
	Tests/Benchmarks/backup --people $(PEOPLE)

## Measures servers for tests: start, snapshot, restore, clone, a hundred of them, beside PostgreSQL and Redis if they are installed.
bench-fixture: release spark-bench
	Tests/Benchmarks/fixture.py $(SPARK) --bench $(BENCH)

## Writes data/schema.sql and schema.db anew; run it after a migration was added.
schema: packages
	SPARK_WRITE_SCHEMA=1 swift test --disable-xctest --filter 'NewDatabaseTests/file' $(QUIETLY)

## Formats the Swift sources.
format:
	swift format format -i -r Sources Plugins Tests Package.swift

## Builds the release binary, .build/release/spark. It has no symbols.
release: packages
	swift build $(RELEASE) $(STRIPPED) --product spark $(QUIETLY)

## Writes the symbols of the release binary, .build/release/spark.debug, which debuggers read. Links twice, compiles nothing anew.
symbols: release
	swift build $(RELEASE) --product spark $(QUIETLY)
	objcopy --only-keep-debug --compress-debug-sections .build/release/spark .build/release/spark.debug
	swift build $(RELEASE) $(STRIPPED) --product spark $(QUIETLY)

## Builds a Debian package, .build/spark_VERSION_ARCHITECTURE.deb. `apt install ./FILE` installs it.
package: SYSTEM_PACKAGES += dpkg-dev
package: release
	packaging/debian/build $(SPARK) .build

## Builds the benchmarks' binary, .build/release/spark-bench.
spark-bench: packages
	swift build $(RELEASE) --product spark-bench $(QUIETLY)

## Checks that Swift is there before anything is installed.
toolchain:
	@command -v swift >/dev/null || { \
	    echo "make: Swift 6.3 is needed and is not on the PATH. https://www.swift.org/install/linux/ installs it (Swiftly, or the archive for Debian 12)." >&2; \
	    exit 1; \
	}

## Installs missing system packages, and prints which.
packages: toolchain
	@missing=""; for package in $(SYSTEM_PACKAGES); do \
	    dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q "ok installed" || missing="$$missing $$package"; \
	done; \
	if [ -n "$$missing" ]; then \
	    echo "Installing system packages:$$missing"; \
	    $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq --no-install-recommends $$missing; \
	fi

## Lists the targets.
help:
	@awk '/^## / { text = text substr($$0, 3); next } \
	    /^[a-z-]+:/ && text { name = $$1; sub(/:.*/, "", name); printf "make %-14s%s\n", name, text; text = "" } \
	    !/^## / { text = "" }' Makefile

"""Fixtures for pytest: `spark_server` for a session, `spark` for a test, which begins with the server as it was.

With pytest-xdist each worker is a session of its own, with a server of its own.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import pytest

from .server import SparkServer

_SERVER = pytest.StashKey[SparkServer]()
_LOGGED = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("spark_scenario", "The scenario of the server of `spark`, by name or file.", default="")
    parser.addini("spark_arguments", "More arguments for spark serve.", type="args", default=[])


@pytest.fixture(scope="session")
def spark_server(request: pytest.FixtureRequest) -> Generator[SparkServer, None, None]:
    """A server for the whole session. Under ``spark exec`` it is the one that runs already, in each worker a clone of it."""
    config = request.config
    running = SparkServer.running()
    if running is not None:
        yield running.clone() if "PYTEST_XDIST_WORKER" in os.environ else running
        return
    scenario = str(config.getini("spark_scenario")) or None
    with SparkServer.start(scenario, arguments=config.getini("spark_arguments")) as server:
        config.stash[_SERVER] = server
        yield server


@pytest.fixture(scope="session")
def spark_snapshot(spark_server: SparkServer) -> str:
    """The state that each test begins with."""
    return spark_server.snapshot()


@pytest.fixture
def spark(spark_server: SparkServer, spark_snapshot: str) -> SparkServer:
    """The server, in the state in which the session began."""
    spark_server.restore(spark_snapshot)
    return spark_server


def pytest_runtest_setup(item: pytest.Item) -> None:
    server = item.config.stash.get(_SERVER, None)
    item.stash[_LOGGED] = len(server.log) if server is not None else 0


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Shows what the server logged during a test that failed."""
    report = yield
    server = item.config.stash.get(_SERVER, None)
    fixtures: Any = getattr(item, "fixturenames", ())
    if report.failed and server is not None and "spark_server" in fixtures:
        text = server.log[item.stash.get(_LOGGED, 0) :]
        if text:
            report.sections.append(("Spark's log", text))
    return report

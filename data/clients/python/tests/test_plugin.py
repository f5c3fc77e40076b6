"""The fixtures for pytest, in a pytest of their own. Skipped without pytest."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TESTS = '''
def test_one(spark):
    assert spark.add(email="ada@example.org").get_unread()["unread_total"] == 0

def test_another_begins_without_her(spark):
    spark.add(email="ada@example.org")
'''


class PluginTest(unittest.TestCase):
    def test_each_test_begins_with_the_same_state(self) -> None:
        if importlib.util.find_spec("pytest") is None:
            self.skipTest("skipped: pytest is not installed")
        workers = ["-n", "2"] if importlib.util.find_spec("xdist") is not None else []
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "test_people.py").write_text(TESTS)
            run = subprocess.run(
                [sys.executable, "-m", "pytest", "-q", "-p", "spark_client.pytest_plugin", *workers, folder],
                capture_output=True,
                text=True,
                env=os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)},
            )
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertIn("2 passed", run.stdout)

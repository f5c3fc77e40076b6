"""The errors that calls raise."""

from __future__ import annotations

import json
from typing import Any


class SparkProblem(Exception):
    """An error that the server answered (RFC 9457)."""

    def __init__(self, status: int, document: dict[str, Any], retry_after: float | None = None) -> None:
        self.status = status
        #: Stable: ``module.reason``; ``unknown`` if the answer has none.
        self.code = str(document.get("code", "unknown"))
        self.detail = str(document.get("detail", ""))
        #: True if the same request may succeed later.
        self.temporary = bool(document.get("temporary", status >= 500))
        #: Also in the server's log.
        self.request_id = str(document.get("request_id", ""))
        #: The refused parts of the input.
        self.errors: list[dict[str, Any]] = list(document.get("errors", []))
        #: Seconds to wait; None if the server did not say.
        self.retry_after = retry_after
        refused = "".join(f"; {error.get('field', '')}: {error.get('detail', '')}" for error in self.errors)
        super().__init__(f"{status} {self.code}: {self.detail}{refused} (request {self.request_id})")

    @classmethod
    def read(cls, status: int, body: bytes, retry_after: str | None) -> SparkProblem:
        """Reads a problem document. A proxy's answer, which is none, has an unknown code."""
        try:
            document = json.loads(body)
        except ValueError:
            document = {}
        seconds = float(retry_after) if retry_after and retry_after.isdigit() else None
        return cls(status, document if isinstance(document, dict) else {}, seconds)


class SparkUnreachable(Exception):
    """The server gave no answer: it cannot be reached, or the connection broke each time."""

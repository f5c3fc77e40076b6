"""What the generated routes call."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote


def segment(value: object) -> str:
    """A value as one segment of a path."""
    return quote(str(value), safe="")


class Caller(ABC):
    """Something that can send a request."""

    @abstractmethod
    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: object = None,
        idempotency_key: str | None = None,
        takes_key: bool = False,
    ) -> Any:
        """Sends a request and returns the JSON of its answer; None if the answer has no body.

        query: parameters; those that are None are left out, sequences are joined by commas.
        takes_key: the route honours an idempotency key, so one is made if none is given.
        """

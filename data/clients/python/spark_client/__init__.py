"""A client of Spark's API and stream, and servers for tests. Standard library only."""

from . import models
from .client import Spark
from .problem import SparkProblem, SparkUnreachable
from .server import SparkServer
from .stream import MessageRefused, Sending, Stream, StreamEnded, StreamPosition

__all__ = [
    "MessageRefused",
    "Sending",
    "Spark",
    "SparkProblem",
    "SparkServer",
    "SparkUnreachable",
    "Stream",
    "StreamEnded",
    "StreamPosition",
    "models",
]

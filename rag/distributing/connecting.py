"""The address of a Ray cluster → a connection to it."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec

from rag.errors import ClusterError, InputError

LOCAL = "local"
_INSTALL = "Run `pip install 'citeline[ray]'`, or in a copy of the source `.venv/bin/pip install -e '.[ray]'`."


@dataclass(frozen=True, slots=True)
class Connection:
    """A cluster in use."""

    address: str
    workers: int
    """That may run at a time: one for each graphics card, or where there is none for each processor core."""
    cards: int
    """Graphics cards."""


@contextmanager
def connected(address: str) -> Iterator[Connection]:
    """`local` for a Ray of this machine that ends with the block, `ray://HOST:10001`, or `HOST:6379` in the cluster.

    What is connected already is used as it is. Raises ClusterError where Ray isn't installed or the cluster can't be
    reached, and InputError for another kind of address.
    """
    if address != LOCAL and ":" not in address:
        raise InputError(f"--on {address} is no cluster. Give local, ray://HOST:10001 or HOST:6379.")
    if find_spec("ray") is None:
        raise ClusterError(f"--on needs a package that isn't installed (ray). {_INSTALL}")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
    import ray

    logging.getLogger("ray").setLevel(logging.CRITICAL)
    ours = not ray.is_initialized()
    try:
        if ours:
            where = {"address": address} | ({"include_dashboard": False} if address == LOCAL else {})
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what it warns of, that nobody answers, is in the error too
                ray.init(log_to_driver=False, logging_level=logging.CRITICAL, **where)
        found = ray.cluster_resources()
    except Exception as error:  # what Ray raises for a cluster that isn't there is no closed set
        raise ClusterError(
            f"The cluster {address} can't be reached: {_first_line(error)}. Check the address and that Ray runs "
            "there with the same versions of Ray and Python; where it asks for a token, set RAY_AUTH_MODE=token and "
            "RAY_AUTH_TOKEN."
        ) from error
    try:
        cards = int(found.get("GPU", 0))
        yield Connection(address, cards or max(1, int(found.get("CPU", 1))), cards)
    finally:
        if ours:
            ray.shutdown()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")

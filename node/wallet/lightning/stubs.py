"""The door to lnd's compiled stubs, which are all that is used of `lndgrpc`.

Its high-level client prints and swallows errors and opens a channel per call, so nobody calls it.
Importing any stub runs that package, which sets GRPC_SSL_CIPHER_SUITES for the whole process; it is
put back here. The stubs are older than lnd: fields and enum values that they lack are compared as
numbers (`answers.py`).
"""

from __future__ import annotations

import os

_before = os.environ.get("GRPC_SSL_CIPHER_SUITES")

from lndgrpc.compiled import (  # noqa: E402  the line above must see the environment first
    lightning_pb2,
    lightning_pb2_grpc,
    router_pb2,
    router_pb2_grpc,
    stateservice_pb2,
    stateservice_pb2_grpc,
)

if _before is None:
    os.environ.pop("GRPC_SSL_CIPHER_SUITES", None)
else:
    os.environ["GRPC_SSL_CIPHER_SUITES"] = _before

__all__ = [
    "lightning_pb2",
    "lightning_pb2_grpc",
    "router_pb2",
    "router_pb2_grpc",
    "stateservice_pb2",
    "stateservice_pb2_grpc",
]

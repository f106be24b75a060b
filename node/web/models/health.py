"""Health, problems, and the OpenAPI document."""

from __future__ import annotations

from typing import Any

from pydantic import Field, RootModel

from node.web.models.base import Told


class ProblemOut(Told):
    """RFC 9457, as application/problem+json."""

    type: str = Field(examples=["/problems/bad-input"])
    title: str
    status: int
    detail: str
    network: str


class ProblemKindOut(Told):
    """What a `type` of a problem means."""

    type: str
    title: str
    status: int


class AliveOut(Told):
    """The process answers."""

    alive: bool


class PartOut(Told):
    """One part of the node."""

    good: bool
    words: str


class ReadyOut(Told):
    """Whether the node can do its work, part by part."""

    ready: bool
    network: str
    parts: dict[str, PartOut]


class DocumentOut(RootModel[dict[str, Any]]):
    """An OpenAPI 3.1 document."""

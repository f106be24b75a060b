"""The OpenAPI 3.1 document, from the table of routes and the pydantic models."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from node.web import problems
from node.web.endpoint import RawHandler, Route
from node.web.models.health import ProblemOut

VERSION: Final = "3.1.0"
_SCHEMAS: Final = "#/components/schemas/"
_PARAMETER: Final = re.compile(r"\{([a-z]+)\}")
_PATH_SCHEMAS: Final[dict[str, dict[str, Any]]] = {
    "thing": {"type": "integer", "minimum": 1, "maximum": 2**31 - 1},
    "site": {"type": "integer", "minimum": 1, "maximum": 2**31 - 1},
    "month": {"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$"},
    "deposit": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    "payout": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    "token": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
    "slug": {"type": "string", "enum": sorted(problems.PROBLEMS)},
}
_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key answers as the first time, and does nothing twice.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
}
_STATUSES: Final = (400, 404, 405, 408, 413, 415, 417, 429, 431, 500, 503)


def document(groups: Mapping[str, tuple[Route, ...]], network: str) -> dict[str, Any]:
    """The whole document, as JSON would have it."""
    models = {model for routes in groups.values() for route in routes for model in _models(route)}
    wanted = sorted(models | {ProblemOut}, key=lambda model: model.__name__)
    names, schemas = models_json_schema(
        [(model, "serialization" if model.__name__.endswith("Out") else "validation")
         for model in wanted],
        ref_template=_SCHEMAS + "{model}",
    )  # fmt: skip
    paths: dict[str, dict[str, Any]] = {}
    for tag, routes in groups.items():
        for route in routes:
            operation = _operation(route, tag, schemas["$defs"])
            paths.setdefault(route.path, {})[route.method.lower()] = operation
    del names
    return {
        "openapi": VERSION,
        "info": {
            "title": "flattr-node",
            "version": "1",
            "description": f"The network is {network}. Amounts ending in _sat are whole satoshis, "
            "in _msat thousandths of one, in _units base units of the stablecoin (a dollar has "
            "1000000); times ending in _s are seconds since 1970, UTC.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "responses": {
                "Problem": {
                    "description": "A problem; its `type` says which.",
                    "content": {problems.CONTENT_TYPE: {"schema": _reference(ProblemOut)}},
                }
            },
        },
    }


def serve_document(groups: Mapping[str, tuple[Route, ...]], network: str) -> RawHandler:
    """The handler of /openapi.json."""
    body = json.dumps(document(groups, network)).encode()
    headers = {"Content-Type": "application/json", "Flattr-Network": network}

    async def handle(request: web.Request) -> web.Response:
        del request
        return web.Response(body=body, headers=headers)

    return handle


def _models(route: Route) -> list[type[BaseModel]]:
    is_json = route.media in {"", "application/json"}
    found = [route.answer if is_json else None, route.body]
    return [model for model in found if model is not None]


def _operation(route: Route, tag: str, schemas: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _name(route),
        "tags": [tag],
        "summary": route.words,
        "parameters": _parameters(route),
        "responses": _responses(route),
        "security": [] if route.scope is None else [{"token": []}],
    }
    if route.scope is not None:
        operation["description"] = f"Needs a token with the scope {route.scope}."
    if route.body is not None:
        operation["requestBody"] = {
            "required": route.body_needed,
            "content": {"application/json": {"schema": _reference(route.body)}},
        }
        assert route.body.__name__ in schemas, "the model's schema is in the document"
    return operation


def _name(route: Route) -> str:
    words = re.findall(r"[a-z0-9]+", route.path.removeprefix("/api/v1"))
    return "_".join([route.method.lower(), *words])


def _parameters(route: Route) -> list[dict[str, Any]]:
    found = [
        {"name": name, "in": "path", "required": True, "schema": _PATH_SCHEMAS[name]}
        for name in _PARAMETER.findall(route.path)
    ]
    if route.query is not None:
        schema = route.query.model_json_schema()
        needed = set(schema.get("required", ()))
        for name, one in schema["properties"].items():
            found.append(
                {"name": name, "in": "query", "required": name in needed, "schema": _bare(one)}
            )
    if route.key != "none":
        found.append(_KEY)
    return found


def _bare(schema: dict[str, Any]) -> dict[str, Any]:
    """A query parameter is left out, never null."""
    kept = {name: value for name, value in schema.items() if name not in {"anyOf", "default"}}
    for one in schema.get("anyOf", ()):
        if one.get("type") != "null":
            kept.update(one)
    return kept


def _responses(route: Route) -> dict[str, Any]:
    problem = {"$ref": "#/components/responses/Problem"}
    found: dict[str, Any] = {str(status): problem for status in _STATUSES}
    if route.scope is not None:
        found |= {"401": problem, "403": problem}
    if route.method != "GET":
        found["409"] = problem
    if route.key != "none":
        found["422"] = problem
    if route.path.endswith(("/count", "/{month}/stablecoin")):
        found["304"] = {"description": "It is what you have."}
    is_json = route.media in {"", "application/json"}
    schema = _reference(route.answer) if is_json else {"type": "string"}
    answer = {
        "description": (route.answer.__doc__ or "").strip().split("\n")[0],
        "headers": {"Flattr-Network": {"schema": {"type": "string"}}},
        "content": {route.media or "application/json": {"schema": schema}},
    }
    if route.path == "/readyz":
        found["503"] = answer
    return {str(route.status): answer, **found}


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _SCHEMAS + model.__name__}

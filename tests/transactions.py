"""Which transactions the source opens, under which step, and which tables each can write.

Read from the syntax trees. A transaction is an `async with store.write(…)`, or `writing(…)` under a
lease. What it can write is what the store's functions write that it names, itself or through other
functions; where a method can't be told from another of the same name, all of them count.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

MONEY = frozenset([
    "account", "entry", "posting", "chain", "used_hash", "deposit", "close", "close_part",
    "tranche", "payout", "attempt", "leg", "lease", "breaker", "cursor", "means", "target",
    "thing", "subscription", "flattr_inbox", "flattr_month", "click_key", "thing_count",
    "chain_address", "chain_event", "chain_block", "chain_transaction", "signed_transaction",
    "vault_month", "close_approval", "site_claim", "quarantine", "limbo_approval",
])  # fmt: skip
"""State of pay, close, deposit, withdraw, click and the vault, and what they decide by."""
OTHER = frozenset([
    "member", "token", "notice", "request_key", "consent", "session", "identity",
    "sign_in_challenge", "sign_in_proof", "seen_event", "link_challenge", "operator_link",
    "operator_passkey", "operator_session", "operator_challenge", "audit_result", "operator_log",
    "operator_log_head", "thing_day",
])  # fmt: skip
"""Who is who, and what was said: half of it can't happen, and no step of money follows from it."""
ROOT = Path(__file__).parent.parent
_WRITES = re.compile(r"(?:INSERT INTO|UPDATE|DELETE FROM) (?!SET\b)(\w+)")
_WRITERS = frozenset({"write", "writing"})
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_NOT_THE_NODES = ("node/devnet/", "node/store/engine.py", "node/store/migrations/")


@dataclass(frozen=True)
class Transaction:
    """One `async with`. `steps`: what it may be named; empty if it has no name."""

    path: str
    line: int
    function: str
    steps: frozenset[str]
    tables: frozenset[str]

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.function}"


@dataclass
class Module:
    """One file: its functions, and what its names mean."""

    path: str
    tree: ast.Module
    functions: dict[str, list[_Function]] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    imported: dict[str, tuple[str, str]] = field(default_factory=dict)
    constants: dict[str, ast.expr] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for node in ast.walk(self.tree):
            match node:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    self.functions.setdefault(name, []).append(node)
                case ast.ImportFrom(module=str(module), names=names):
                    for one in names:
                        self.modules[one.asname or one.name] = f"{module}.{one.name}"
                        self.imported[one.asname or one.name] = (module, one.name)
        for node in self.tree.body:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self.constants[name] = value
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                    self.constants[name] = value


class Source:
    """The modules of a source tree, by dotted name."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.modules = {
            path.removesuffix(".py").replace("/", "."): Module(path, ast.parse(text))
            for path, text in texts.items()
        }
        self._methods: dict[str, list[tuple[str, _Function]]] = {}
        for name, module in self.modules.items():
            for functions in module.functions.values():
                for function in functions:
                    if "tx" in _parameters(function):
                        self._methods.setdefault(function.name, []).append((name, function))

    @cached_property
    def transactions(self) -> list[Transaction]:
        """Every write transaction."""
        return list(self._transactions())

    def _transactions(self) -> Iterator[Transaction]:
        for name, module in self.modules.items():
            for function in _all(module.functions):
                for block in _own(function):
                    for call in _writes(block):
                        assert isinstance(block, ast.AsyncWith)
                        tables: set[str] = set()
                        for one in block.body:
                            tables |= self._tables(name, one, set())
                        yield Transaction(
                            module.path, block.lineno, function.name,
                            frozenset(self._steps(function, call)), frozenset(tables),
                        )  # fmt: skip

    def _steps(self, function: _Function, call: ast.Call) -> Iterator[str]:
        named = call.args[-1:] if _called(call) == "write" else call.args[3:4]
        match named:
            case [ast.Constant(value=str(step))]:
                yield step
            case [ast.Name(id="step")] if "step" in _parameters(function):
                place = [one for one in _parameters(function) if one != "self"].index("step")
                yield from self._given(function.name, place)

    def _given(self, called: str, place: int) -> Iterator[str]:
        """The steps that callers name. Each must name one."""
        for module in self.modules.values():
            for call in ast.walk(module.tree):
                if isinstance(call, ast.Call) and _called(call) == called:
                    match call.args[place : place + 1]:
                        case [ast.Constant(value=str(step))]:
                            yield step
                        case [ast.Name(id="step")]:
                            pass  # handed on: its own callers name it
                        case _:
                            yield f"nothing, at {module.path}:{call.lineno}"

    def _tables(self, name: str, tree: ast.AST, seen: set[int]) -> set[str]:
        found: set[str] = set()
        module = self.modules[name]
        for node in ast.walk(tree):
            match node:
                case ast.Constant(value=str(text)):
                    found.update(_WRITES.findall(text))
                case ast.Call(
                    func=ast.Attribute(attr="insert"), args=[ast.Constant(value=str(table)), *_]
                ):
                    found.add(table)
                case ast.Name(id=constant) if constant in module.constants:
                    found |= self._once(name, module.constants[constant], seen)
            for where, function in self._meant(module, name, node):
                found |= self._once(where, function, seen)
        return found

    def _once(self, name: str, tree: ast.AST, seen: set[int]) -> set[str]:
        if id(tree) in seen:
            return set()
        seen.add(id(tree))
        return self._tables(name, tree, seen)

    def _meant(self, module: Module, name: str, node: ast.AST) -> Iterable[tuple[str, _Function]]:
        """The functions that a name in this module may mean."""
        match node:
            case ast.Name(id=one) if one in module.functions:
                return [(name, function) for function in module.functions[one]]
            case ast.Name(id=one) if one in module.imported:
                where, original = module.imported[one]
                return self._in(where, original)
            case ast.Attribute(value=ast.Name(id="self"), attr=one) if one in module.functions:
                return [(name, function) for function in module.functions[one]]
            case ast.Attribute(value=ast.Name(id=owner), attr=one) if (
                module.modules.get(owner) in self.modules
            ):
                return self._in(module.modules[owner], one)
            case ast.Attribute(attr=one):
                return self._methods.get(one, [])
        return []

    def _in(self, where: str, one: str) -> list[tuple[str, _Function]]:
        if where not in self.modules:
            return []
        return [(where, function) for function in self.modules[where].functions.get(one, [])]


@cache
def node_source() -> Source:
    """The node's own source, without what opens and migrates the database."""
    return Source(
        {
            path: file.read_text(encoding="utf-8")
            for file in sorted((ROOT / "node").rglob("*.py"))
            if not (path := file.relative_to(ROOT).as_posix()).startswith(_NOT_THE_NODES)
        }
    )


def calls_without_a_point(source: Source, effects: frozenset[str]) -> Iterator[str]:
    """Calls of these methods after which their function passes no `….after_effect`."""
    for module in source.modules.values():
        if not module.path.startswith("node/flows/"):
            continue
        for function in _all(module.functions):
            points = [
                node.lineno for node in _own(function)
                if isinstance(node, ast.Call) and _called(node) == "failpoint"
                and "after_effect" in ast.unparse(node)
            ]  # fmt: skip
            for node in _own(function):
                if not isinstance(node, ast.Call) or _effect(node) not in effects:
                    continue
                if not any(line > node.lineno for line in points):
                    yield f"{module.path}:{node.lineno} {function.name}: no after_effect"


def _effect(call: ast.Call) -> str:
    """`rail.send` of `self._rail.send(…)`: a method, with the last name of its owner."""
    match call.func:
        case ast.Attribute(value=ast.Attribute(attr=owner) | ast.Name(id=owner), attr=method):
            return f"{owner.lstrip('_')}.{method}"
    return ""


def _writes(block: ast.AST) -> Iterator[ast.Call]:
    if isinstance(block, ast.AsyncWith):
        for item in block.items:
            call = item.context_expr
            if isinstance(call, ast.Call) and _called(call) in _WRITERS:
                yield call


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _all(functions: Mapping[str, list[_Function]]) -> Iterator[_Function]:
    for several in functions.values():
        yield from several


def _own(function: _Function) -> Iterator[ast.AST]:
    """What stands in a function, but not in one within it."""
    waiting: list[ast.AST] = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, _Function):
            waiting += ast.iter_child_nodes(node)


def _parameters(function: _Function) -> list[str]:
    return [one.arg for one in (*function.args.posonlyargs, *function.args.args)]

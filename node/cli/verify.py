"""`verify`: recompute a published month of the vault, without a node and without asking anybody."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter
from rich.text import Text

from node.cli.options import Json, say_json, screen
from node.errors import BadInput
from node.settlement.vault_checks import Check, examine
from node.settlement.vault_format import BYTES_MAX

BREACH: Final = 3
_HASH: Final = re.compile(r"(?:0x)?([0-9a-fA-F]{64})")


def verify(
    file: Annotated[Path, Parameter(help="The published file of a month.")],
    *,
    data_hash: Annotated[
        str | None, Parameter(name="--hash", help="data_hash of the vault's event MonthSealed.")
    ] = None,
    root: Annotated[str | None, Parameter(help="root of the same event.")] = None,
    as_json: Json = False,
) -> int:
    """Recompute the published file of a month of the vault, and compare it with the chain.

    Where the hash and the root come from: docs/verify.md. Exit status 0: all is as it says. 3: it
    is not.
    """
    wanted = _bytes("--hash", data_hash), _bytes("--root", root)
    checks = examine(_read(file), *wanted)
    if as_json:
        say_json([
            {"law": one.law, "ok": not one.wrong, "figures": one.figures, "wrong": one.wrong}
            for one in checks
        ])  # fmt: skip
    else:
        _show(checks)
    return BREACH if any(one.wrong for one in checks) else 0


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(BYTES_MAX + 1)
    except OSError as error:
        raise BadInput(f"{file} can't be read: {error.strerror}") from error


def _bytes(name: str, text: str | None) -> bytes | None:
    if text is None:
        return None
    if not (found := _HASH.fullmatch(text)):
        raise BadInput(f"{name} takes 0x and 64 hexadecimal digits")
    return bytes.fromhex(found[1])


def _show(checks: list[Check]) -> None:
    out = screen()
    for one in checks:
        text = Text(f"{one.law:<36} ")
        text.append("wrong" if one.wrong else "ok   ", style="bold red" if one.wrong else "green")
        text.append(f" {'; '.join((*one.wrong, one.figures))}")
        out.print(text)

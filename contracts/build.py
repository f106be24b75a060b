"""Compile the contracts, and write next to each what a node needs of it: ABI and bytecode.

    python -m contracts.build            write contracts/PayoutVault.json, contracts/test/*.json
    python -m contracts.build --check    write nothing; name what would change, and fail then

The same sources give the same bytes on every machine: the compiler is pinned
(requirements/contract.txt), its settings are pragmas in the sources, and no path and no time goes
into the code. So a deployed vault is verified by comparing its code with what this writes;
contracts/README.md says how.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import vyper
from vyper.cli.vyper_compile import compile_files

FOLDER = Path(__file__).parent
VAULT = "PayoutVault"
SOURCES = {
    VAULT: ("PayoutVault.vy", "vault/roles.vy", "vault/asset.vy", "vault/accounts.vy",
            "vault/collection.vy", "vault/distribution.vy"),
    "test/TestDollar": ("test/TestDollar.vy", "test/signatures.vy"),
}  # fmt: skip
"""What is built, and from what: the contract first, then the modules that it uses."""


def compile_contract(name: str, formats: Sequence[str], folder: Path = FOLDER) -> dict[str, Any]:
    """Compile one of `SOURCES`, as it stands in this folder or in a changed copy of it."""
    path = folder / SOURCES[name][0]
    search = [str(path.parent)]
    compiled = compile_files([str(path)], list(formats), paths=search, include_sys_path=False)
    (output,) = compiled.values()
    return dict(output)


def artifact(name: str) -> str:
    """The text of a contract's JSON file."""
    compiled = compile_contract(name, ("abi", "bytecode", "bytecode_runtime"))
    hashes = {
        source: hashlib.sha256((FOLDER / source).read_bytes()).hexdigest()
        for source in SOURCES[name]
    }
    content = {
        "contract": Path(name).name,
        "compiler": {"name": "vyper", "version": vyper.__version__, "optimize": "gas",
                     "evm": "prague", "venom": False},
        "sources_sha256": hashes,
        "abi": compiled["abi"],
        "bytecode": compiled["bytecode"],
        "runtime": compiled["bytecode_runtime"],
    }  # fmt: skip
    return json.dumps(content, indent=1) + "\n"


def stale() -> list[str]:
    """The files that are not what their sources compile to."""
    return [
        path.relative_to(FOLDER).as_posix()
        for path, text in _artifacts().items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]


def main() -> int:
    """Write the artifacts, or check them."""
    parser = argparse.ArgumentParser(description="Compile the contracts.")
    parser.add_argument("--check", action="store_true", help="write nothing, and fail on a change")
    if parser.parse_args().check:
        changed = stale()
        sys.stdout.writelines(f"{path} is not what its sources compile to\n" for path in changed)
        return 1 if changed else 0
    for path, text in _artifacts().items():
        path.write_text(text, encoding="utf-8")
    return 0


def _artifacts() -> dict[Path, str]:
    return {FOLDER / f"{name}.json": artifact(name) for name in SOURCES}


if __name__ == "__main__":
    sys.exit(main())

"""Change the pure rooms in every small way, and demand that some test notices: `make mutants`.

mutmut makes the changes, in a copy of the tree, and runs the tests of `ledger` and `settlement` on
each. What no test notices is printed as a difference; those that change nothing that could be seen
are named below with the reason. It ends with an error when fewer than SCORE_MIN of a hundred are
noticed. An argument limits it to the modules that contain it: `make mutants ARGS=split`.
"""

from __future__ import annotations

import ast
import difflib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
COPIED: Final = ("node", "tests", "contracts", "pyproject.toml")
SCORE_MIN: Final = 90
SAY_EVERY_S: Final = 30
PLUGINS: Final = {
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "PYTEST_PLUGINS": "_hypothesis_pytestplugin",
}
SURVIVED: Final = frozenset({0, 33})
"""mutmut's codes for: the tests passed, and no test calls it."""
NOTHING_TO_SEE: Final[dict[str, str]] = {
    "+    return min(FIRST_S << min(tries - 1, 21), LONGEST_S)": "both are beyond LONGEST_S",
    "+    return waited_s(tries) > GIVE_UP_AFTER_S": "no sum of waits is seven days exactly",
    "+    if int(units.max(initial=1)) * len(units) < _FLOAT_EXACT:": "ones are exact either way",
    "+    if int(units.max(initial=0)) * len(units) <= _FLOAT_EXACT:": "2**53 itself is exact too",
    "+    return np.frombuffer(rows, '<i8').reshape(-2, columns).astype(np.int64)":
        "numpy reads every negative length as the one that fits",
    "+    return hmac.digest(secret, named.encode(), 'SHA256')": "the same hash",
}  # fmt: skip
"""Changes that no test can notice, by the line that they make, and why."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change. `code` is None until it was tried."""

    module: str
    name: str
    code: int | None

    @property
    def noticed(self) -> bool:
        return self.code is not None and self.code not in SURVIVED


def main(arguments: list[str]) -> int:
    """Run mutmut and print what it found; the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in COPIED:
            source = ROOT / name
            take = shutil.copytree if source.is_dir() else shutil.copy
            take(source, copy / name)
        _run(copy, arguments)
        return _report(copy)


def mutants_in(copy: Path) -> Iterator[Mutant]:
    """What mutmut has written down so far."""
    for path in sorted((copy / "mutants" / "node").rglob("*.py.meta")):
        module = path.relative_to(copy / "mutants").as_posix().removesuffix(".py.meta")
        for key, code in json.loads(path.read_text()).get("exit_code_by_key", {}).items():
            yield Mutant(module, key.rpartition(".")[2], code)


def difference(copy: Path, mutant: Mutant) -> list[str]:
    """The lines that a mutant takes away and puts in their place."""
    tree = ast.parse((copy / "mutants" / f"{mutant.module}.py").read_text())
    functions = {
        node.name: node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    original = mutant.name.partition("__mutmut_")[0] + "__mutmut_orig"
    texts = [
        ast.unparse(functions[name]).replace(name, "it").split("\n")
        for name in (original, mutant.name)
    ]
    lines = list(difflib.unified_diff(*texts, n=0, lineterm=""))[2:]
    return [line for line in lines if not line.startswith("@@")]


def _run(copy: Path, arguments: list[str]) -> None:
    only = [f"*{one}*" for one in arguments]
    command = [sys.executable, "-m", "mutmut", "run", *only]
    with (copy / "log").open("w") as log:
        running = subprocess.Popen(
            command, cwd=copy, stdout=log, stderr=log, env={**os.environ, **PLUGINS}
        )
        while True:
            try:
                running.wait(SAY_EVERY_S)
            except subprocess.TimeoutExpired:
                known = Counter(one.code is not None for one in mutants_in(copy))
                print(f"{known[True]} of {known.total()} tried", file=sys.stderr, flush=True)
            else:
                break
    if running.returncode:
        print((copy / "log").read_text()[-5000:], file=sys.stderr)
        raise SystemExit("mutmut could not run")


def _report(copy: Path) -> int:
    tried = [one for one in mutants_in(copy) if one.code is not None]
    unseen = 0
    for one in tried:
        if not one.noticed:
            lines = difference(copy, one)
            why = next((NOTHING_TO_SEE[line] for line in lines if line in NOTHING_TO_SEE), "")
            unseen += bool(why)
            print(f"{one.module} {one.name}{': ' + why if why else ''}", *lines, sep="\n  ")
    print(f"\n{'module':<36}{'mutants':>9}{'noticed':>9}{'score':>9}")
    modules = sorted({one.module for one in tried})
    for module in [*modules, ""]:
        of_it = [one for one in tried if module in ("", one.module)]
        noticed = sum(one.noticed for one in of_it)
        score = 100 * noticed / len(of_it)
        print(f"{module or 'all':<36}{len(of_it):>9}{noticed:>9}{score:>8.1f}%")
    print(f"of those that nobody noticed {unseen} change nothing that could be seen")
    return 0 if tried and score >= SCORE_MIN else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Fuzz and prove the committed bytecode: forge (from npm) and halmos (from pip).

    python -m contracts.deep.run --forge path/to/forge --halmos path/to/halmos

Needs node, and in the folder it is run from: npm install solc@0.8.37 @foundry-rs/forge. Everything
is copied to a folder that is thrown away, with the vault's code as a constant of Solidity, so that
neither tool needs to know Vyper. halmos wants `--storage-layout generic` for Vyper's code.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from contracts.build import FOLDER, VAULT

CODE = (
    '// SPDX-License-Identifier: MIT\npragma solidity 0.8.37;\n\nbytes constant VAULT = hex"{}";\n'
)


def main() -> int:
    """Run both, and fail if one does."""
    parser = argparse.ArgumentParser(description="Fuzz and prove the vault.")
    parser.add_argument("--forge", default="node_modules/.bin/forge")
    parser.add_argument("--halmos", default="halmos")
    options = parser.parse_args()
    forge = _found(options.forge)
    path = f"{forge.parent}{os.pathsep}{os.environ['PATH']}"
    environment = dict(os.environ, NODE_FOLDER=str(Path.cwd()), PATH=path)
    tools = (
        [str(forge), "test"],
        [str(_found(options.halmos)), "--function", "test_", "--storage-layout", "generic"],
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _lay_out(folder)
        results = [
            subprocess.run(command, cwd=folder, env=environment, check=False).returncode  # noqa: S603 - the tools were named by the caller
            for command in tools
        ]
    return max(results)


def _lay_out(folder: Path) -> None:
    source = Path(__file__).parent
    for path in (*source.glob("*.sol"), source / "foundry.toml", source / "solc.mjs"):
        shutil.copy(path, folder / path.name)
    (folder / "solc.mjs").chmod(0o755)
    content = json.loads((FOLDER / f"{VAULT}.json").read_text(encoding="utf-8"))
    (folder / "Code.sol").write_text(CODE.format(content["bytecode"][2:]), encoding="utf-8")


def _found(tool: str) -> Path:
    path = shutil.which(tool)
    if path is None:
        sys.exit(f"{tool} is not there: see contracts/deep/run.py for what to install")
    return Path(path).absolute()


if __name__ == "__main__":
    sys.exit(main())

"""web3 and its kin take seconds to import: only who opens a chain waits for them."""

import subprocess
import sys

from tests.test_tidy import ROOT

MODULES = sorted(
    path.stem for path in (ROOT / "node/wallet/stablecoin").glob("*.py") if path.stem != "__init__"
)
SLOW = ("web3", "eth_account", "eth_abi", "eth_tester", "eth")


def test_the_rail_is_imported_without_web3() -> None:
    imports = "\n".join(f"import node.wallet.stablecoin.{name}" for name in MODULES)
    program = f"{imports}\nimport sys\nprint([name for name in {SLOW} if name in sys.modules])"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"

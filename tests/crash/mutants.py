"""The guards, each taken away by name: `python -m tests.crash --mutant NAME`.

A simulation that finds nothing proves nothing, unless it finds these.
"""

from __future__ import annotations

from typing import Final

from tests.crash.report import Mutant

LIGHTNING: Final[dict[str, Mutant]] = {}

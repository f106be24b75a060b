"""Run a command that the kernel ends when its parent dies, however the parent dies.

`python leash.py PARENT_PID command ...` asks the kernel (prctl PR_SET_PDEATHSIG) for a SIGKILL at
the death of the parent, and then becomes the command: the process id stays, so the parent signals
the daemon itself. A launcher instead of a `preexec_fn`, because that would run Python between fork
and exec in a process that has gRPC's threads. The request survives exec. The parent may have died
before it was made: hence the look at the parent's id. Elsewhere than on Linux it only runs the
command.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie this process to its parent, and become the command."""
    parent_pid, *command = sys.argv[1:]
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != int(parent_pid):
        sys.exit("the parent is gone")
    os.execvp(command[0], command)  # noqa: S606 - the command is this package's own, without a shell


if __name__ == "__main__":
    main()

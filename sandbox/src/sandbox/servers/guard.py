"""Runs a command that ends with its parent: `python -IS guard.py PARENT COMMAND [ARGUMENT...]`.

A program of its own, because `preexec_fn` runs Python between fork and exec, which may deadlock where the
parent has threads. It becomes the command (exec), so its process id is the command's.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # The parent may have died before the line above took effect.
    if os.getppid() != parent:
        sys.exit("The process that wanted this server has ended.")
    os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main()

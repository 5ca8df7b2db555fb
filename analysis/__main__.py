"""``memory-wall``, which ``python -m analysis`` is too."""

import signal
import sys

STOPPED = 130
"""Exit code of what was ended by Ctrl-C, as shells have it."""


def main() -> None:
    """Run the command line; Ctrl-C ends it with one line even while its modules are still being read, which takes a second."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # asked to end is asked to end, by whichever signal
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup has it
        signal.signal(signal.SIGHUP, signal.default_int_handler)
    try:
        from analysis import cli

        cli.main()
    except KeyboardInterrupt:
        sys.stderr.write("memory-wall: stopped\n")
        sys.exit(STOPPED)


if __name__ == "__main__":
    main()

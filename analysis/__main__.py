"""``memory-wall``, which ``python -m analysis`` is too."""

import sys

STOPPED = 130
"""Exit code of what was ended by Ctrl-C, as shells have it."""


def main() -> None:
    """Run the command line; Ctrl-C ends it with one line even while its modules are still being read, which takes a second."""
    try:
        from analysis import cli

        cli.main()
    except KeyboardInterrupt:
        sys.stderr.write("memory-wall: stopped\n")
        sys.exit(STOPPED)


if __name__ == "__main__":
    main()

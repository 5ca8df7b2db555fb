"""``python -m analysis`` is ``memory-wall``."""

from analysis.cli import main

main()

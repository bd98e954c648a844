"""``python -m multifidus``."""

from multifidus.cli import main

main()

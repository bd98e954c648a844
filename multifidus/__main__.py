"""``python -m multifidus``."""

from multifidus.cli import main

if __name__ == "__main__":
    main()

"""The command line. Each subcommand is one small file: parse, one library call, print."""

from __future__ import annotations

import os
import sys

from multifidus.cli.exit_codes import REFUSED


def main() -> None:
    """Run the command line; errors that the user can mend become one message and exit code 3."""
    # Measuring never multiplies large matrices; without this, OpenBLAS starts a thread per core.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from multifidus.cli.app import app
    from multifidus.errors import MultifidusError

    try:
        app()
    except MultifidusError as error:
        print(f"multifidus: {error}", file=sys.stderr)  # noqa: T201 - the command line may print
        sys.exit(REFUSED)


if __name__ == "__main__":
    main()

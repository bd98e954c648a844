"""The command line. Each subcommand is one small file: parse, one library call, print."""

from __future__ import annotations

import os
import sys
import traceback

from multifidus.cli.exit_codes import CRASHED, REFUSED


def main() -> None:
    """Run the command line; errors that the user can mend become one message and exit code 3.

    Any other error is a fault of the program or the machine: exit code 4, with a traceback.
    """
    # Measuring never multiplies large matrices; without this, OpenBLAS starts a thread per core.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from multifidus.cli.app import app
    from multifidus.errors import MultifidusError

    try:
        app()
    except MultifidusError as error:
        print(f"multifidus: {error}", file=sys.stderr)  # noqa: T201 - the command line may print
        sys.exit(REFUSED)
    except Exception:  # noqa: BLE001 - the last place: 1 would mean that some cases failed
        traceback.print_exc()
        sys.exit(CRASHED)


if __name__ == "__main__":
    main()

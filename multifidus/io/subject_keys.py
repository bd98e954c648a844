"""Subject keys: the same person gets the same neutral name in every run that has the key.

A key is a keyed hash of what the scanner knows the subject by. Without the secret in the key file
it can be neither undone nor guessed by trying identifiers, so the file stays where the scans are.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from multifidus.errors import ReadError
from multifidus.io.files import reading, write_text

FORMAT = "multifidus-subject-keys"
VERSION = 1
DIGITS = 8
"""Hexadecimal digits of a subject key: two of 10,000 subjects agree in about 1 % of cohorts."""

_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class SubjectKeys:
    """Gives subjects their neutral names.

    Parameters
    ----------
    secret
        32 random bytes.
    """

    secret: bytes

    def name(self, identity: str) -> str:
        """Return the neutral name of a subject."""
        digest = hmac.new(self.secret, identity.strip().encode(), hashlib.sha256)
        return f"S{digest.hexdigest()[:DIGITS]}"


def open_subject_keys(path: Path) -> tuple[SubjectKeys, bool]:
    """Read a key file, or make a new one where there is none.

    Returns
    -------
    tuple
        The keys, and whether the file was made now.

    Raises
    ------
    ReadError
        If the file is damaged or something else.
    """
    if path.exists():
        return _read(path), False
    keys = SubjectKeys(secrets.token_bytes(_SECRET_BYTES))
    document = {"format": FORMAT, "version": VERSION, "secret": keys.secret.hex()}
    write_text(path, json.dumps(document, indent=1) + "\n", overwrite=False)
    # Who has the secret and a list of identifiers can undo the names: for its owner alone.
    path.chmod(0o600)
    return keys, True


def _read(path: Path) -> SubjectKeys:
    with reading(path, "subject keys"):
        text = path.read_text(encoding="utf-8", errors="replace")
    try:
        document = json.loads(text)
        known = (document["format"], document["version"]) == (FORMAT, VERSION)
        secret = bytes.fromhex(document["secret"])
    except (ValueError, KeyError, TypeError) as error:
        msg = f"{path} is not a file of subject keys."
        raise ReadError(msg, remedy="Give the file that an earlier run made.") from error
    if not known or len(secret) != _SECRET_BYTES:
        msg = f"{path} is not a file of subject keys that this version can read."
        raise ReadError(msg, remedy="Update multifidus, or give the file an earlier run made.")
    return SubjectKeys(secret)

"""The digital lumbar phantom: exams of one subject, before and after surgery, with known truth.

Anatomy is a set of implicit shapes along a lordotic spine. Areas and fat are known from
quadrature of those shapes in the plane of each slice, without pixels and without outlines.

The truth holds for the middle plane of a slice. By default that plane is also what is imaged;
``PhantomSpec.through_plane`` averages over the thickness instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multifidus.phantom.exam import Phantom, make_phantom
    from multifidus.phantom.files import write_phantom
    from multifidus.phantom.spec import ImageFormat, PhantomSpec, Sex, Variant
    from multifidus.phantom.truth import Truth

_HOME_OF = {
    "ImageFormat": "spec",
    "Phantom": "exam",
    "PhantomSpec": "spec",
    "Sex": "spec",
    "Truth": "truth",
    "Variant": "spec",
    "make_phantom": "exam",
    "write_phantom": "files",
}

__all__ = [
    "ImageFormat",
    "Phantom",
    "PhantomSpec",
    "Sex",
    "Truth",
    "Variant",
    "make_phantom",
    "write_phantom",
]


def __getattr__(name: str) -> Any:
    """Load a name when it is first used: the command line wants the spec without NumPy."""
    home = _HOME_OF.get(name)
    if home is None:
        msg = f"module 'multifidus.phantom' has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module

    value = getattr(import_module(f"multifidus.phantom.{home}"), name)
    globals()[name] = value
    return value

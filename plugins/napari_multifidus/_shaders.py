"""Shaders are read and linked when they change, not whenever a shape does.

vispy reads the code of a shader anew for every layer that has it, and links it again after every
change of a shape's colour or points, though its code is what it was: five milliseconds each, a
third of the time that painting takes.
"""

from __future__ import annotations

import functools
import re
from types import SimpleNamespace
from typing import Any


def keep_shaders() -> None:
    """Let vispy read a shader once, and link a program again only where its code has changed."""
    from vispy.gloo import glir, program  # type: ignore[import-untyped]
    from vispy.visuals.shaders import ModularProgram  # type: ignore[import-untyped]

    if program.re is not re:
        return
    kept = functools.lru_cache(maxsize=256)
    once = {"sub": kept(re.sub), "finditer": kept(lambda *args: tuple(re.finditer(*args)))}
    program.re = SimpleNamespace(**vars(re) | once)
    glir.convert_shader = kept(glir.convert_shader)
    ModularProgram.set_shaders = _linked_once(ModularProgram.set_shaders)


def _linked_once(set_shaders: Any) -> Any:
    """Return how to give a program its code, without doing so where it has it."""

    @functools.wraps(set_shaders)
    def link(self: Any, vert: str, frag: str, geom: str | None = None, **how: Any) -> None:
        code = (vert, frag, geom)
        if getattr(self, "multifidus_linked", None) != code:
            set_shaders(self, vert, frag, geom, **how)
            self.multifidus_linked = code

    return link

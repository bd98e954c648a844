"""How Sphinx builds these pages."""

from __future__ import annotations

from importlib.metadata import version as version_of
from typing import Any

project = "multifidus"
author = "The multifidus developers"
copyright = f"2026, {author}"  # noqa: A001 - the name that Sphinx reads
version = release = version_of("multifidus")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]

html_theme = "furo"
html_title = f"multifidus {release}"

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

# The reference is made from the code alone: every module, in the order of its source.
autosummary_generate = True
autosummary_ignore_module_all = False
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
autodoc_default_options = {"members": True, "show-inheritance": True}
napoleon_google_docstring = False
napoleon_use_rtype = False


def setup(app: Any) -> None:
    """Let the sidebar show what lies near its page: all modules on each took most of the time."""
    app.connect("html-page-context", _collapse_sidebar, priority=100)


def _collapse_sidebar(*event: Any) -> None:
    _app, _page, _template, context, _tree = event
    whole = context.get("toctree")
    if whole is not None:
        context["toctree"] = lambda **how: whole(**{**how, "collapse": True})

"""How figures look, and how they become files: the same bytes from the same numbers."""

from __future__ import annotations

import contextlib
import functools
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from multifidus.io.files import refuse_existing, write_atomically
from multifidus.reporting.report_extra import the_report_extra
from multifidus.stats.change.groups import Classification
from multifidus.version import VERSION

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

P = ParamSpec("P")
T = TypeVar("T")

COLUMN_MM = 85.0
"""Width of a figure over one column of a journal."""

PAGE_MM = 174.0
"""Width of a figure over two columns."""

PNG_DPI = 600
"""Of line drawings, as journals ask."""

BLACK, GREY, PALE = "#000000", "#767676", "#D9D9D9"

# Okabe and Ito's colours, told apart by colour-blind readers as well.
ORANGE, SKY, GREEN, BLUE, VERMILLION, PURPLE = (
    "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7",
)  # fmt: skip

SERIES = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)
"""Colours of what has an order of its own, such as timepoints."""

MARKERS = ("o", "s", "^", "D", "v", "P")
"""Beside the colours, so that neither print nor eye depends on colour alone."""

CLASSIFICATIONS: dict[Classification, tuple[str, Any, float, str]] = {
    Classification.DECREASE: (VERMILLION, "-", 0.9, "decrease exceeding MDC95"),
    Classification.INCREASE: (BLUE, "--", 0.9, "increase exceeding MDC95"),
    Classification.WITHIN_ERROR: (GREY, "-", 0.5, "within MDC95"),
    Classification.UNKNOWN: (GREY, ":", 0.5, "not assessable"),
}
"""Colour, line style, line width and name of what can be said of a muscle."""

_STYLE: dict[str, Any] = {
    "axes.labelsize": 7,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 7,
    "figure.autolayout": False,
    "figure.constrained_layout.use": False,
    "font.family": "DejaVu Sans",
    "font.size": 6.5,
    "legend.fontsize": 6,
    "legend.frameon": False,
    "lines.linewidth": 0.9,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
    # Words are as wide at every resolution, so that what was laid out fits.
    "text.hinting": "none",
    # A subject called $x$ is not a formula.
    "text.parse_math": False,
    "xtick.labelsize": 6,
    "xtick.major.width": 0.6,
    "ytick.labelsize": 6,
    "ytick.major.width": 0.6,
}

_SIZE = re.compile(r'width="[\d.]+pt" height="[\d.]+pt"')

_ID = re.compile(r'(\bid="|url\(#|href="#)')


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure, its name and what it shows.

    Parameters
    ----------
    name
        Of its files; tells it from every other of a report.
    caption
        What it shows, in sentences.
    figure
        From matplotlib.
    """

    name: str
    caption: str
    figure: Figure

    def __post_init__(self) -> None:
        # Once for all formats: it takes longer than to draw, and the files agree.
        engine = self.figure.get_layout_engine()
        if engine is not None:
            engine.execute(self.figure)
            # None, not "none": with that the figure is drawn twice for each file, to lay it out.
            self.figure.set_layout_engine(None)


@contextlib.contextmanager
def _style(name: str = "") -> Iterator[None]:
    with the_report_extra():
        import matplotlib as mpl

    settings: Any = {**_STYLE, "svg.hashsalt": f"multifidus {name}"}
    with mpl.rc_context(settings):
        yield


def styled(draw: Callable[P, T]) -> Callable[P, T]:
    """Let a function draw in this style, whatever matplotlib's settings are elsewhere."""

    @functools.wraps(draw)
    def inside(*args: P.args, **kwargs: P.kwargs) -> T:
        with _style():
            return draw(*args, **kwargs)

    return inside


def new_figure(width_mm: float, height_mm: float) -> Figure:
    """Start a figure; its size is that on paper."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    engine = ConstrainedLayoutEngine(w_pad=0.04, h_pad=0.04)
    return Figure(figsize=(width_mm / 25.4, height_mm / 25.4), layout=engine)


def grid(
    rows: Sequence[str], columns: Sequence[str], row_mm: float = 42.0
) -> tuple[Figure, dict[tuple[str, str], Axes]]:
    """Start a figure of small panels that share their axes: sides below, levels beside each other.

    Up to two columns of panels fit one column of a journal.
    """
    width = COLUMN_MM if len(columns) <= 2 else PAGE_MM  # noqa: PLR2004 - as said
    figure = new_figure(width, row_mm * len(rows) + 16)
    panels = figure.subplots(len(rows), len(columns), sharex=True, sharey=True, squeeze=False)
    places = {}
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            panels[i][j].set_title(" ".join(filter(None, (column, row))))
            places[row, column] = panels[i][j]
    return figure, places


def timepoint_style(place: int) -> dict[str, Any]:
    """Return colour and marker of the timepoint at a place in their order."""
    return {"color": SERIES[place % len(SERIES)], "marker": MARKERS[place % len(MARKERS)]}


def timepoint_legend(figure: Figure, axes: Axes, timepoints: Sequence[str]) -> None:
    """Explain timepoints above the panels, where they have names."""
    if any(timepoints):
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))


def as_svg(drawing: Drawing) -> str:
    """Return a figure as SVG to be put into a page: names inside it clash with no other's.

    Its size is left to the page.
    """
    file = io.StringIO()
    with _style(drawing.name):
        drawing.figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    text = _SIZE.sub("", file.getvalue(), count=1)
    return _ID.sub(rf"\g<1>{drawing.name}-", text[text.index("<svg") :])


def files_of(name: str, folder: Path, formats: Sequence[str]) -> list[Path]:
    """Return where a figure goes."""
    return [folder / f"{name}.{suffix}" for suffix in formats]


def write_drawing(
    drawing: Drawing, folder: Path, formats: Sequence[str] = ("pdf",), *, overwrite: bool = False
) -> list[Path]:
    """Write a figure as ``pdf``, ``svg`` or ``png``; no file holds when it was made.

    Raises
    ------
    WriteError
        If a file exists and ``overwrite`` is not set; then none is written.
    """
    paths = files_of(drawing.name, folder, formats)
    for path in paths:
        refuse_existing(path, overwrite=overwrite)
    for path in paths:
        kind = path.suffix[1:]

        def write(part: Path, kind: str = kind) -> None:
            with _style(drawing.name):
                drawing.figure.savefig(part, format=kind, dpi=PNG_DPI, metadata=_METADATA[kind])

        write_atomically(path, write, overwrite=overwrite)
    return paths


_METADATA: dict[str, dict[str, Any]] = {
    "pdf": {"CreationDate": None, "Creator": f"multifidus {VERSION}"},
    "svg": {"Date": None, "Creator": f"multifidus {VERSION}"},
    "png": {"Software": f"multifidus {VERSION}"},
}

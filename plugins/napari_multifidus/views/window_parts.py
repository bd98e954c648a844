"""The parts of the window around the panel: the bar over it, results below, what napari brings."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, QObject, QSize, QTimer
from qtpy.QtWidgets import QDockWidget, QWidget

from napari_multifidus import _compat
from napari_multifidus.views.locator import TITLE, LocatorPanel
from napari_multifidus.views.side_panes import SidePane
from napari_multifidus.views.style import PANEL_WIDTH, follow_theme
from napari_multifidus.views.tabs import RESULTS
from napari_multifidus.views.top_bar import TopBar

if TYPE_CHECKING:
    from napari_multifidus.views.preferences import RaterSettings

SAGITTAL_WIDTH, SAGITTAL_SHARE, MARKING_SHARE = 270, 0.21, 0.45
"""Least width of the sagittal image; its share of the window, also while levels are marked."""

PANE_SHARE, PANE_HEIGHT = 0.29, 0.6
"""Share of the window that a side pane takes, and of its height where a reading list is above."""

RESULTS_SHARE, RESULTS_HEIGHT = 0.19, 158
"""Share of the window that results take, and the least height of it."""

OTHER_SIZE = 60
"""A window that grew or shrank by so many pixels is laid out anew; less is left to the person."""

LEAST_WINDOW, LEAST_WITH_PANE = 640, 900
"""In a window that is lower, results are hidden until somebody wants them; also beside a pane."""

LEAST_STACKED = 740
"""In a window that is lower, what is left of the image is in one place with a reading list.

No less than both, one below the other, need at least: 730.
"""


class WindowParts(QObject):
    """Shows, hides and sizes the parts of the window, and takes them away at the end.

    Parameters
    ----------
    viewer
        The napari viewer.
    bar, results, locator
        The bar over the window, what is below the image, what is left of it.
    panes
        What is in one place with the locator, by the name of its button.
    preferences
        Where it is remembered which of them are shown.
    """

    def __init__(
        self,
        viewer: Any,
        bar: TopBar,
        results: QWidget,
        locator: LocatorPanel,
        *,
        panes: Mapping[str, SidePane],
        preferences: RaterSettings,
    ) -> None:
        super().__init__()
        self.panes, self._preferences = dict(panes), preferences
        self.viewer, self.bar, self.results, self.locator = viewer, bar, results, locator
        self._main: Any = None
        self._panel: QWidget | None = None
        self._fitted, self._is_marking, self._is_low = QSize(), False, False
        self._results_wanted: bool | None = None
        # Once the window has laid itself out.
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._fit)
        bar.toggled_part.connect(self.toggle)
        locator.marking_changed.connect(self.enlarge_sagittal)
        for panel in (bar, results, locator, *(pane.panel for pane in self.panes.values())):
            follow_theme(panel, viewer)

    def furnish(self, panel: QWidget) -> None:
        """Put everything into the window that the panel is in, and size it."""
        if self._main is None:
            self._main = panel.window()
            self._main.addToolBar(self.bar)
            _compat.show_below_canvas(self.viewer, self.results, RESULTS, in_front=False)
            self._show_layers(shown=False)
            for holder in (self._holder(self.results), *self._layers):
                if holder is not None:
                    holder.visibilityChanged.connect(self.refresh)
            self._panel = panel
            self._main.installEventFilter(self)
            self._stay_on_screen()
        self._fit()

    # --- what there is -------------------------------------------------------------------------

    @property
    def _layers(self) -> tuple[QDockWidget, ...]:
        """Napari's own panels."""
        return () if self._main is None else _compat.layer_docks(self._main)

    def _holder(self, panel: QWidget) -> QDockWidget | None:
        """Return the dock widget that holds a panel; None where it is in none."""
        holder = panel.parentWidget()
        while holder is not None and not isinstance(holder, QDockWidget):
            holder = holder.parentWidget()
        return holder

    def shown(self) -> dict[str, bool]:
        """Return which parts are shown, by name."""
        panels = {"sagittal": self.locator, "results": self.results}
        panels |= {name: pane.panel for name, pane in self.panes.items()}
        holders = {name: self._holder(panel) for name, panel in panels.items()}
        return {
            **{
                name: holder is not None and not holder.isHidden()
                for name, holder in holders.items()
            },
            "layers": any(not dock.isHidden() for dock in self._layers),
        }

    def refresh(self, *_: object) -> None:
        """Show on the bar which parts are shown."""
        # Parts hide one after another while the window is taken apart.
        with contextlib.suppress(RuntimeError):
            shown = self.shown()
            self.bar.show_parts(shown)
            for name, pane in self.panes.items():
                self.bar.allow_part(name, pane.source.why_not)
                if pane.source.is_on and not shown[name]:
                    # Closed by its own corner.
                    self.show_pane(name, shown=False)

    # --- showing and hiding --------------------------------------------------------------------

    def toggle(self, name: str) -> None:
        """Show a part that is hidden, or hide one that is shown."""
        is_wanted = not self.shown()[name]
        if name == "layers":
            self._show_layers(shown=is_wanted)
        elif name == "results":
            self._results_wanted = is_wanted
            self._show(self.results, shown=is_wanted)
        elif name in self.panes:
            self.show_pane(name, shown=is_wanted)
        else:
            self.show_locator(shown=is_wanted)
        self.refresh()

    def _show(self, panel: QWidget, *, shown: bool, in_front: bool = True) -> None:
        holder = self._holder(panel)
        if holder is not None:
            holder.setVisible(shown)
            if shown and in_front:
                holder.raise_()

    def _show_layers(self, *, shown: bool) -> None:
        for dock in self._layers:
            dock.setVisible(shown)

    def show_results(self) -> None:
        """Show what is below the image."""
        self._results_wanted = True
        self._show(self.results, shown=True)
        self.refresh()

    def show_locator(self, *, shown: bool = True) -> None:
        """Show the sagittal image, or hide it."""
        if shown and self._holder(self.locator) is None:
            self._show_left(self.locator, TITLE)
            holder = self._holder(self.locator)
            if holder is not None:
                holder.visibilityChanged.connect(self.refresh)
            self._fit()
        self._show(self.locator, shown=shown)
        self.refresh()

    def show_pane(self, name: str, *, shown: bool) -> None:
        """Show a side pane, or hide it, and do so from now on where it is allowed."""
        self._preferences.keep(f"{name}_pane", "shown" if shown else "")
        self._show_pane(name, shown=shown)

    def follow_exam(self) -> None:
        """Show the side panes that are wanted and allowed."""
        # It is done a moment after the exam opened: the window may have gone meanwhile.
        with contextlib.suppress(RuntimeError):
            for name in self.panes:
                self._show_pane(name, shown=self._preferences.value(f"{name}_pane") == "shown")

    def _show_pane(self, name: str, *, shown: bool) -> None:
        pane = self.panes[name]
        shown = shown and not pane.source.why_not
        # A dock widget that is made is shown at once.
        is_other = shown != self.shown()[name]
        if shown and self._holder(pane.panel) is None:
            self._show_left(pane.panel, pane.title)
            holder = self._holder(pane.panel)
            if holder is not None:
                holder.visibilityChanged.connect(self.refresh)
        if not shown:
            # First, or what is hidden here is taken for closed by hand.
            pane.source.set_on(on=False)
        if is_other:
            self._show(pane.panel, shown=shown)
            self._timer.start()
        if shown:
            pane.source.set_on(on=True)
        self.refresh()

    def enlarge_sagittal(self, on: bool) -> None:  # noqa: FBT001 - a signal gives it
        """Give the sagittal image much of the window while levels are marked on it."""
        self._is_marking = on
        self._fit()
        if on:
            # A reading list may lie over it.
            self._show(self.locator, shown=True)

    def _show_left(self, panel: QWidget, title: str) -> None:
        show = _compat.show_over_controls if self._is_low else _compat.show_over_list
        show(self.viewer, panel, title)

    # --- sizes ---------------------------------------------------------------------------------

    def eventFilter(self, watched: Any, event: Any) -> bool:  # noqa: N802 - Qt's
        """Size everything anew where the window became much larger or smaller."""
        if event.type() == QEvent.Type.Resize and self._is_other_size():
            self._timer.start()
        elif event.type() == QEvent.Type.Close:
            self._timer.stop()
        return bool(super().eventFilter(watched, event))

    def _stay_on_screen(self) -> None:
        """Make a window that is larger than its screen as large as the screen leaves it."""
        screen = self._main.screen()
        if screen is not None and not screen.availableGeometry().contains(self._main.geometry()):
            self._main.showMaximized()

    def _is_other_size(self) -> bool:
        size, fitted = self._main.size(), self._fitted
        most: int = max(abs(size.width() - fitted.width()), abs(size.height() - fitted.height()))
        return most >= OTHER_SIZE or (self._height() < LEAST_STACKED) != self._is_low

    def _height(self) -> int:
        """Return the height that there is: a window that holds much may outgrow its screen."""
        screen, height = self._main.screen(), int(self._main.height())
        return height if screen is None else min(height, screen.availableGeometry().height())

    def _stack(self, *, is_low: bool) -> None:
        """Put what is left of the image below a reading list, or, where that is low, beside it."""
        if is_low == self._is_low:
            return
        self._is_low = is_low
        for panel in (self.locator, *(pane.panel for pane in self.panes.values())):
            if self._holder(panel) is not None:
                _compat.tab_with(panel, "layer controls" if is_low else "layer list")

    def _fit(self) -> None:
        """Give every part its share of the window, once there is one."""
        if self._main is None:
            return
        self._fitted = self._main.size()
        width, height = self._fitted.width(), self._height()
        self._stack(is_low=height < LEAST_STACKED)
        shown = self.shown()
        has_pane = any(shown[name] for name in self.panes)
        least = LEAST_WITH_PANE if has_pane else LEAST_WINDOW
        wanted = height >= least if self._results_wanted is None else self._results_wanted
        # What lies in front of them, as adjudication does, stays there.
        self._show(self.results, shown=wanted and not self._is_marking, in_front=False)
        _compat.resize_dock(self.results, height=max(round(RESULTS_SHARE * height), RESULTS_HEIGHT))
        if self._panel is not None:
            _compat.resize_dock(self._panel, width=PANEL_WIDTH)
        share = PANE_SHARE if has_pane else SAGITTAL_SHARE
        share = MARKING_SHARE if self._is_marking else share
        for panel in (self.locator, *(pane.panel for pane in self.panes.values())):
            if self._holder(panel) is not None:
                _compat.resize_dock(panel, width=max(round(share * width), SAGITTAL_WIDTH))
        for name, pane in self.panes.items():
            # Below a reading list a dock widget grows to the side only where it has to.
            pane.panel.setMinimumWidth(round(PANE_SHARE * width) if shown[name] else 0)
            if shown[name]:
                _compat.resize_dock(pane.panel, height=round(PANE_HEIGHT * height))
        self.refresh()

    def leave(self) -> None:
        """Take everything away, and bring napari's own panels back."""
        if self._main is None:
            return
        self._timer.stop()
        self._main.removeEventFilter(self)
        self._main.removeToolBar(self.bar)
        # The window would keep it, and with it all that it calls.
        self.bar.setParent(None)
        panes = [pane.panel for pane in self.panes.values()]
        for pane in self.panes.values():
            pane.source.set_on(on=False)
        for panel in (self.results, self.locator, *panes):
            holder = self._holder(panel)
            if holder is not None:
                self.viewer.window.remove_dock_widget(panel)
        # PySide6 keeps what a signal calls as long as its sender: no panel would go by itself.
        for panel in (self.bar, self.results, self.locator, *panes):
            panel.deleteLater()
        self._show_layers(shown=True)
        self._main = None

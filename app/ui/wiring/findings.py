"""What models say about the case on the screen: the panel, the heatmaps, the cards, and the notice beyond their ken."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget

from app.ui.docks import dock_named, fill, reserve, switch_dock
from app.ui.language import say, tr
from app.ui.notices import Banner
from app.ui.wiring.wiring import Wiring

if TYPE_CHECKING:
    from app.ui.finding_display import FindingDisplay
    from app.ui.findings_panel import FindingsPanel
    from app.ui.heat_board import HeatBoard
    from app.ui.live_alignment import LiveAlignment
    from app.ui.model_card_view import ModelCardDialog

OUTSIDE = "outside"
PANEL_PX, LEAST_PX = (290, 420), (0, 200)  # what the panel asks for, and its least
SHARED = ("crop", "notes", "history")  # docks that lie behind the findings as tabs


class FindingsWiring(Wiring):
    """The findings half of the AI menu.

    Attributes:
        panel: the rows; None without an engine.
        board: heatmaps, frames and points over the images.
        display: what is shown of what is known.
        live: what a model says while the two clicks are dragged.
        dialog: the card that is being read.
    """

    late_turn = 5
    late_imports = ("app.ui.heat_board", "app.ui.findings_panel", "app.ui.finding_display",
                    "app.ui.live_alignment")  # fmt: skip
    panel: FindingsPanel | None = None
    board: HeatBoard | None = None
    display: FindingDisplay | None = None
    live: LiveAlignment | None = None
    dialog: ModelCardDialog | None = None
    _is_in_sight = False  # the panel is, and not behind another one
    _put_away = ""  # case whose notice the user has put away

    def effects(self) -> dict[str, Callable[[bool], object]]:
        """What these commands do."""
        return {
            "show_findings": lambda is_on: switch_dock(self._dock, is_on),
            "show_heatmap": lambda is_on: self._show_heatmap(is_on),
            "next_model": lambda _: self.display.choose_next() if self.display is not None else None,
            "negative_heatmaps": lambda is_on: self.display.set_negatives(is_on) if self.display is not None else None,
            "sampling_points": lambda is_on: self.display.set_points(is_on) if self.display is not None else None,
            "model_card": lambda _: self.show_card(),
        }

    def connect_shell(self) -> None:
        """The dock is there from the start, so that its place can be restored."""
        window = self.window
        self._dock = QDockWidget(window)
        self._dock.setObjectName("findings")
        self._dock.setFeatures(
            QDockWidget.DockWidgetFeature.DockWidgetClosable | QDockWidget.DockWidgetFeature.DockWidgetMovable
        )
        window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self._dock)
        labels = dock_named(window, "labels")
        if labels is not None:  # before the tabs: what is split off a group of tabs would become one of them
            window.splitDockWidget(self._dock, labels, Qt.Orientation.Vertical)
        for name in SHARED:
            other = dock_named(window, name)
            if other is not None:
                window.tabifyDockWidget(self._dock, other)
        self._dock.hide()
        self._dock.visibilityChanged.connect(self._on_visible)

    def prepare(self) -> None:
        """The panel, where there is an engine."""
        from app.ui.findings_panel import FindingsPanel

        if self.window.engine.engine is not None:
            self.panel = FindingsPanel(self._dock)

    def connect_rest(self) -> None:
        """The panel and what it follows, where there is an engine."""
        engine = self.window.engine.engine
        if engine is None or self.panel is None:
            return
        from app.ui.finding_display import FindingDisplay
        from app.ui.heat_board import HeatBoard
        from app.ui.live_alignment import LiveAlignment

        actions, project, viewer = self.window.actions_by_id, self.project, self.viewer
        fill(self._dock, self.panel)
        self.board = HeatBoard(viewer)
        display = self.display = FindingDisplay(engine, viewer, self.panel, self.board)
        annotating = self.window.annotating
        assert annotating.panel is not None, "the annotating part was connected before"
        self.live = LiveAlignment(engine, viewer, annotating.board, annotating.panel)
        for name, signal in (
            ("show_heatmap", self.panel.heat.shown_wanted),
            ("negative_heatmaps", self.panel.heat.negatives_wanted),
            ("sampling_points", self.panel.heat.points_wanted),
        ):
            signal.connect(lambda _, name=name: actions[name].trigger())
        self.panel.card_wanted.connect(self.show_card)
        self.panel.command_wanted.connect(lambda name: actions[name].trigger())
        self.panel.retry_wanted.connect(lambda: engine.try_again(display.case_id))
        engine.known_changed.connect(self._on_known)
        engine.finding_arrived.connect(self._on_known)
        engine.state_changed.connect(display.refresh)
        project.annotated.connect(lambda _: self._follow_crop())
        crop = dock_named(self.window, "crop")
        if crop is not None:
            crop.visibilityChanged.connect(lambda _: self._follow_crop())
        viewer.swapped.connect(lambda _: self.refresh())
        viewer.active_changed.connect(self.refresh)
        project.opened.connect(self._on_opened)
        project.closed.connect(self._on_closed)
        self._show_heatmap(actions["show_heatmap"].isChecked())
        self._say_keys()

    def reserve(self) -> None:
        """The dock, where there is an engine."""
        if self.window.start.engine_command:
            reserve(self._dock, PANEL_PX, LEAST_PX)
            self._dock.setVisible(self.window.actions_by_id["show_findings"].isChecked())

    def catch_up(self) -> None:
        """Say what is known about the case on the screen."""
        self._on_opened()
        self.refresh()

    def present(self) -> set[str]:
        """Whether a model has something to say, or says why not."""
        return {"finding"} if self.display is not None and self.display.active is not None else set()

    def retranslate(self) -> None:
        """The title, and what was said."""
        self._dock.setWindowTitle(tr("Findings"))
        self._say_keys()
        if self.display is not None:
            self.refresh()

    def close(self) -> None:
        """Close the card."""
        if self.dialog is not None:
            self.dialog.close()
        if self.live is not None:
            self.live.close()

    def refresh(self) -> None:
        """Show what is known about the case on the screen."""
        if self.display is not None:
            self.display.refresh()
            self._warn()
            self.window.enable()

    def show_card(self, model_id: str = "") -> None:
        """Open a model's card.

        Args:
            model_id: the model; empty = the one whose heatmap is shown.
        """
        from app.ui.model_card_view import ModelCardDialog

        display, engine = self.display, self.window.engine.engine
        if display is None or engine is None:
            return
        wanted = model_id or (display.active.card.id if display.active is not None else "")
        card = next((model.card for model in engine.models if model.card.id == wanted), None)
        if card is None:
            return
        if self.dialog is not None:
            self.dialog.close()
        dialog = self.dialog = ModelCardDialog(card, self.window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.finished.connect(self._forget_dialog)
        dialog.open()

    # --- what follows from what ---

    def _show_heatmap(self, is_on: bool) -> None:
        if self.display is not None:
            self.display.set_shown(is_on)
        if self.live is not None:
            self.live.set_heatmap_shown(is_on)

    def _on_known(self, case_id: str) -> None:
        if self.display is not None and case_id == self.display.case_id:
            self.refresh()
            self._follow_crop()

    def _follow_crop(self) -> None:
        if self.live is not None:
            self.live.refresh()

    def _warn(self) -> None:
        """Say so when the case is unlike those that a model knows, where the panel that says it is out of sight."""
        from app.core.finding import Verdict

        display, engine, banners = self.display, self.window.engine.engine, self.window.banners
        if display is None or engine is None:
            return
        case_id = display.case_id
        if case_id != self._put_away:
            self._put_away = ""
        outside = [entry for entry in engine.consultations(case_id) if entry.verdict is Verdict.OUTSIDE]
        if not case_id or not outside or self._put_away or self._is_in_sight:
            banners.remove(OUTSIDE)
            return
        names = ", ".join(say(entry.card.title) for entry in outside)
        banner = Banner(
            tr("This case is outside what a model knows."),
            (tr("No answer from: {models}. Rely on your own reading.", models=names),),
            tone="caution",
            is_closable=True,
        )
        if banners.texts.get(OUTSIDE) == banner.text:
            banner.deleteLater()
            return
        banner.closed.connect(self._on_put_away)
        banners.show_banner(OUTSIDE, banner)

    def _on_put_away(self) -> None:
        self._put_away = self.display.case_id if self.display is not None else ""

    def _on_visible(self, is_in_sight: bool) -> None:
        self._is_in_sight = is_in_sight
        if self.display is not None:
            self.window.actions_by_id["show_findings"].setChecked(not self._dock.isHidden())
            self.display.refresh()
            self._warn()

    def _on_opened(self) -> None:
        if self.display is not None:
            self.display.use(self.project.look().findings.heatmap_folder)

    def _on_closed(self) -> None:
        self.window.banners.remove(OUTSIDE)
        self._put_away = ""
        if self.display is not None:
            self.display.use(None)
        self._follow_crop()

    def _forget_dialog(self, _result: int = 0) -> None:
        self.dialog = None

    def _say_keys(self) -> None:
        if self.panel is not None:
            names = ("show_heatmap", "align", "box", "check_project")
            self.panel.set_keys({name: self.window.commands.key_text(name) for name in names})

"""Looking for burnt-in text: case after case, two keys and a drag, until nothing waits any more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from app.ui.language import tr
from app.ui.wiring.wiring import Wiring

if TYPE_CHECKING:
    from app.core.case import View
    from app.core.pixel_review import MaskBox, PixelReview
    from app.store.annotations import Annotations
    from app.ui.masks import MaskBoard
    from app.ui.project import CaseContent
    from app.ui.text_panel import TextPanel

KEYS = ("text_clean", "text_refuse", "text_unmask", "text_next", "text_review")


class TextsWiring(Wiring):
    """The review of burnt-in text.

    Attributes:
        panel: under the panes; after the first paint.
        board: what is painted over; after the first paint.
        is_on: whether text is being looked for.
    """

    late_turn = 3
    late_imports = ("app.ui.masks", "app.ui.text_panel")
    panel: TextPanel
    board: MaskBoard
    is_on = False
    _is_leaving = False

    def effects(self) -> dict[str, Callable[[bool], object]]:
        """What these commands do."""
        return {
            "text_review": lambda is_on: self._switch(is_on),
            "mask": lambda _: self._use_tool(),
            "text_clean": lambda _: self.clean(),
            "text_refuse": lambda _: self.refuse(),
            "text_unmask": lambda _: self.unmask(),
            "text_next": lambda _: self.go_on(),
        }

    def connect_rest(self) -> None:
        """The panel, the rectangles, and when they change."""
        from app.ui.foot_scroller import FootScroller
        from app.ui.masks import MaskBoard
        from app.ui.text_panel import TextPanel

        self.board = MaskBoard(self.viewer)
        self.panel = TextPanel(self.window)
        middle = self.window.centralWidget()
        layout = middle.layout() if middle is not None else None
        assert middle is not None, "the window is built"
        assert layout is not None, "the window is built"
        layout.addWidget(FootScroller(self.panel, middle))
        self.panel.pressed.connect(lambda name: self.window.actions_by_id[name].trigger())
        self.board.drawn.connect(self.add_mask)
        self.board.chosen.connect(self.refresh)
        self.viewer.swapped.connect(lambda _: self.refresh())
        self.viewer.active_changed.connect(self.refresh)
        self.project.annotated.connect(lambda _: self.refresh())
        self.project.closed.connect(self._on_closed)
        self.window.middle.currentChanged.connect(lambda _: self.refresh())

    def is_wanted_for(self, content: CaseContent) -> bool:
        """What is painted over is never seen."""
        return any(hanging.view is not None and _boxes(hanging.view)
                   for hanging in (content.frontal, content.lateral, content.other))  # fmt: skip

    def catch_up(self) -> None:
        """Paint over what is on the screen."""
        self.refresh()

    def present(self) -> set[str]:
        """Whether text is being looked for on the screen, and whether something is painted over."""
        if not self.is_on or not self.project.is_open or not self.project.is_writable or not self._views():
            return set()
        return {"text review", "mask"} if self._masks_of_active() else {"text review"}

    def retranslate(self) -> None:
        """Keys may be others."""
        if self.window.project is not None and self.window.viewer is not None and self.is_on:
            self.refresh()

    def refresh(self) -> None:
        """Show what is known about the images on the screen."""
        from app.core.pixel_review import ReleaseState
        from app.ui.captions import PROJECTION_WORDS
        from app.ui.text_panel import LookedAt

        window, views = self.window, self._views()
        self.board.show({view.id: _boxes(view) for view in (*views, *self._other_hip())}, is_looking=self.is_on)
        is_shown = self.is_on and self.project.is_open and window.middle.currentWidget() is self.viewer
        if is_shown:
            window.resolving.panel.hide()  # one question at a time
            shown = [
                LookedAt(
                    name=tr(PROJECTION_WORDS[view.projection.value]) if view.projection.value else view.id,
                    state=view.release,
                    masks=len(_boxes(view)) if view.release is ReleaseState.MASKED else 0,
                )
                for view in views
            ]
            self.panel.show_images(
                shown,
                waiting=self._waiting_count(),
                has_masks=bool(self._masks_of_active()),
                is_writable=self.project.is_writable,
                keys={name: window.commands.key_text(name) for name in KEYS},
            )
        self.panel.setVisible(is_shown)
        window.enable()

    # --- what is recorded ---

    def clean(self) -> None:
        """Everything on the screen that waits is clean, what is painted over stays so; then go on."""
        from app.core.pixel_review import PixelReview, PixelVerdict, ReleaseState

        views = [view for view in self._views() if view.release is ReleaseState.WAITING]
        active = self._active()
        if not views and active is not None and active.release is ReleaseState.REFUSED:
            boxes = _boxes(active)
            verdict = PixelVerdict.MASKED if boxes else PixelVerdict.CLEAN
            self._record({active.id: PixelReview(verdict=verdict, masks=boxes)}, "May leave after all")
            return
        clean = PixelReview(verdict=PixelVerdict.CLEAN)
        if not views or self._record({view.id: clean for view in views}, "No text that identifies anybody"):
            self.go_on()

    def refuse(self) -> None:
        """The active view must not leave; go on when nothing here waits any more."""
        from app.core.pixel_review import PixelReview, PixelVerdict, ReleaseState

        active = self._active()
        if active is None:
            return
        refused = PixelReview(verdict=PixelVerdict.REFUSED, masks=_boxes(active))
        is_done = self._record({active.id: refused}, "Must not leave the project")
        if is_done and not any(view.release is ReleaseState.WAITING for view in self._views()):
            self.go_on()

    def add_mask(self, view_id: str, box: MaskBox) -> None:
        """One more rectangle on a view."""
        from app.core.pixel_review import PixelReview, PixelVerdict

        view = next((view for view in self._views() if view.id == view_id), None)
        if view is None:
            self.window.labelling.refuses_other_hip()  # whose history is that of another case
        else:
            review = PixelReview(verdict=PixelVerdict.MASKED, masks=(*_boxes(view), box))
            self._record({view_id: review}, "Text painted over")
        self.refresh()  # also when it was refused, or waits until somebody says who it is

    def unmask(self) -> None:
        """Take the chosen rectangle of the active view off, or the last one; without any it waits again."""
        from app.core.pixel_review import PixelReview, PixelVerdict

        active, masked = self._active(), self.board.on(self.viewer.active_pane)
        if active is None or masked is None or not masked.boxes:
            return
        gone = masked.chosen if masked.chosen is not None else len(masked.boxes) - 1
        rest = tuple(box for number, box in enumerate(masked.boxes) if number != gone)
        self._record({active.id: PixelReview(verdict=PixelVerdict.MASKED, masks=rest) if rest else None}, "Paint off")

    def _record(self, reviews: Mapping[str, PixelReview | None], text: str) -> bool:
        from app.core.annotation import PIXEL_REVIEW, VIEW, document_of
        from app.core.event import target_of

        content = self.viewer.content
        if content is None or not self.viewer.is_settled:
            return False
        case_id = content.case.id

        def change(annotations: Annotations, author: str) -> object:
            changes = [
                annotations.change(target_of(VIEW, name), PIXEL_REVIEW, None if review is None else document_of(review))
                for name, review in reviews.items()
            ]
            return annotations.record(case_id, changes, author=author, text=text)

        return self.project.annotate(case_id, change) is not None

    # --- where to go on ---

    def go_on(self) -> None:
        """The next images that wait: of this case, else of the next case of the list, else from its beginning."""
        from app.core.pixel_review import ReleaseState
        from app.core.worklist import Filter, Query

        store, content = self.project.look(), self.viewer.content
        shown = {view.id for view in self._views()}
        if content is not None:
            for number, view_id in enumerate(content.case.unassigned_ids):
                view = store.views.get(view_id)
                if view is not None and view.id not in shown and view.release is ReleaseState.WAITING:
                    self.window.cases.go_to(content.case.id, turn=number or len(content.case.unassigned_ids))
                    return
        worklist = store.worklist
        waiting = worklist.case_ids(worklist.numbers(Query(filters=(Filter("text", ("waiting",)),))))
        here = content.case.id if content is not None else ""
        readable = [name for name in self._after(here, waiting) if self._may_be_seen(name)]
        if readable:
            self.window.cases.go_to(readable[0])
        else:
            self.window.statusBar().showMessage(tr("Somebody has looked at every image that may hold text."), 8000)
            self.refresh()

    def _after(self, here: str, waiting: list[str]) -> list[str]:
        """The cases that wait, from behind the present one on and round to the one before it."""
        store = self.project.look()
        order = store.worklist.numbers()
        ids = store.worklist.case_ids(order)
        wanted = set(waiting) - {here}
        start = ids.index(here) + 1 if here in ids else 0
        return [name for name in (*ids[start:], *ids[:start]) if name in wanted][:100]

    def _may_be_seen(self, case_id: str) -> bool:
        case = self.project.look().cases.get(case_id)
        return case is not None and not case.blocked_reason

    def _waiting_count(self) -> int:
        from app.core.worklist import Filter, Query

        return self.project.look().worklist.count_of(Query(filters=(Filter("text", ("waiting",)),)))

    # --- on and off ---

    def _switch(self, is_on: bool) -> None:
        self.is_on = is_on and self.project.is_open
        self.refresh()
        if self.is_on:
            self.window.actions_by_id["mask"].trigger()
            if self._views() and not any(view.release.value == "waiting" for view in self._views()):
                self.go_on()
        else:
            self.window.actions_by_id["pan"].trigger()
            self.viewer.active_changed.emit()  # what else is asked about the case comes back

    def _use_tool(self) -> None:
        from app.ui.masks import MaskTool

        self.viewer.set_tool(MaskTool(self.board))

    def _on_closed(self) -> None:
        if self.is_on:
            self.window.actions_by_id["text_review"].setChecked(False)
            self.is_on = False
            self.window.actions_by_id["pan"].trigger()
        self.board.show({}, is_looking=False)
        self.panel.hide()

    # --- what is on the screen ---

    def _views(self) -> list[View]:
        """The views on the screen as they stand now; none while a case is on its way or blocked."""
        viewer = self.window.viewer
        if viewer is None or viewer.content is None or not self.project.is_open or viewer.content.case.blocked_reason:
            return []
        views = self.project.look().views
        held = set(viewer.content.case.view_ids)
        found = [views.get(place.hanging.view.id) for place in viewer.places if place.hanging.view is not None]
        return [view for view in found if view is not None and view.id in held]

    def _other_hip(self) -> list[View]:
        """The other hip's view beside them, as it stands now."""
        content = self.viewer.content if self._views() else None
        hung = content.other.view if content is not None else None
        view = self.project.look().views.get(hung.id) if hung is not None else None
        return [] if view is None else [view]

    def _active(self) -> View | None:
        active = self.viewer.active_view
        return None if active is None else next((view for view in self._views() if view.id == active.id), None)

    def _masks_of_active(self) -> tuple[MaskBox, ...]:
        active = self._active()
        return () if active is None else _boxes(active)


def _boxes(view: View) -> tuple[MaskBox, ...]:
    return view.pixel_review.masks if view.pixel_review is not None else ()

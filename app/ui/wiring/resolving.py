"""Deciding what a view shows, and what must be decided about a case."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.ui.commands.resolve import EXCLUSION_REASONS, RESOLVE_COMMANDS, WRONG_PATIENT
from app.ui.language import say, tr
from app.ui.notices import Banner
from app.ui.wiring.wiring import Wiring

if TYPE_CHECKING:
    from app.core.case import Case, View
    from app.ui.asking import Open
    from app.ui.block_panel import BlockPanel
    from app.ui.decisions import Decisions
    from app.ui.project import CaseContent
    from app.ui.resolve_panel import ResolvePanel

PROJECTIONS = ("frontal", "lateral", "frog-leg", "cross-table", "oblique")
SIDES = ("left", "right", "both")


class ResolvingWiring(Wiring):
    """The Resolve menu, the panels under the panes, and the banner of a case."""

    late_turn = 1
    late_imports = ("app.core.pairing", "app.core.questions", "app.ui.resolve_panel", "app.ui.block_panel")
    panel: ResolvePanel
    block_panel: BlockPanel
    decisions: Decisions
    _by_hand = ""  # view that the user asked about though nothing is open
    _focus = ""  # view that becomes the active one when it is on the screen
    _told_of = ""  # case for which the last decision is still told
    _last_case = ""  # case that was on the screen before
    _is_blocking = False  # the user is about to block a case

    def effects(self) -> dict[str, Callable[[bool], object]]:
        """What the Resolve menu does."""
        answers = (*PROJECTIONS, *SIDES, "swap", "confirm", "keep_this")
        exclusions = [command.id for command in RESOLVE_COMMANDS if command.id.startswith("exclude:")]
        return {
            "next_question": lambda _: self._go_to_next_question(),
            "go_on": lambda _: None,
            "ask": lambda _: self._ask(),
            "exclude": lambda _: self.panel.popup_exclusion(),
            "same_answer": lambda _: self.panel.flip_same(),
            "take_back": lambda _: self._take_back(),
            "block": lambda _: self._begin_blocking(),
            "release": lambda _: self.block_panel.reason.setFocus(),
            **{name: self._pressed(name) for name in (*answers, *exclusions)},
        }

    def connect_rest(self) -> None:
        """The panels, what they ask for, and when they change."""
        from app.ui.block_panel import BlockPanel
        from app.ui.decisions import Decisions
        from app.ui.foot_scroller import FootScroller
        from app.ui.resolve_panel import ResolvePanel

        self.decisions = Decisions(self.project)
        self.panel = ResolvePanel(self.window)
        self.block_panel = BlockPanel(self.window)
        middle = self.window.centralWidget()
        layout = middle.layout() if middle is not None else None
        assert middle is not None, "the window is built"
        assert layout is not None, "the window is built"
        place = FootScroller(self.panel, middle)
        layout.addWidget(place)
        layout.addWidget(FootScroller(self.block_panel, middle))
        self.panel.turned.connect(place.to_top)
        self.panel.answered.connect(self._on_answered)
        self.block_panel.released.connect(self._release)
        self.block_panel.blocked.connect(self._block)
        self.block_panel.left.connect(self._leave_blocking)
        self.block_panel.excluded.connect(self._exclude_blocked)
        self.viewer.swapped.connect(self._on_swapped)
        self.viewer.active_changed.connect(lambda: self._refresh())
        self.project.closed.connect(self._on_closed)
        self.window.middle.currentChanged.connect(lambda _: self._refresh())

    def is_wanted_for(self, content: CaseContent) -> bool:
        """What must be decided is asked under the panes, which leave room for it."""
        case = content.case
        return bool(case.questions or case.blocked_reason or case.unassigned_ids)

    def promised(self) -> set[str]:
        """What can be done with every case."""
        viewer, content = self.window.viewer, self.window.cases.content
        is_there = viewer is not None and viewer.is_settled and content is not None
        return {"writable case"} if is_there and self.project.is_writable else set()

    def catch_up(self) -> None:
        """Ask about the case on the screen."""
        if self.viewer.content is not None:
            self._on_swapped(self.viewer.content.case.id)

    def present(self) -> set[str]:
        """Whether the active view is asked about and may be changed, and what can be taken back or released."""
        window = self.window
        if window.viewer is not None and window.viewer.content is None and self.is_connected:
            # the last view that was listed has been excluded: there is no case to press anything in
            return {"decision"} if self.project.is_writable and self.decisions.last else set()
        if window.viewer is None or not window.viewer.is_settled or window.cases.content is None:
            return set()
        case, found = window.cases.content.case, set()
        if self.project.is_writable:
            found |= {"question"} if self.may_decide else set()
            found |= {"decision"} if self.decisions.last else set()
            found |= {"blocked case"} if case.blocked_reason else {"writable case"}
        return found

    def retranslate(self) -> None:
        """What must be known about a view, and what is the matter with the case."""
        if self.is_connected and self.window.cases.content is not None:
            self._refresh()
            self.show_case_banner()

    @property
    def may_decide(self) -> bool:
        """Whether keys may say what the active view shows: it is asked about, and it is the wanted case's."""
        window = self.window
        is_settled = window.viewer is not None and window.viewer.is_settled
        return self.is_connected and is_settled and self.panel.asked.is_asking

    def show_case_banner(self) -> None:
        """Say what is the matter with the case on the screen, unless the panel does."""
        banners, content = self.window.banners, self.window.cases.content
        banners.remove("case")
        if content is None:
            return
        if content.case.blocked_reason:
            banner = Banner(tr("Do not read this case."), (say(content.case.blocked_reason),), tone="danger")
            banners.show_banner("case", banner)
        elif content.waiting and self.is_connected and self.panel.isHidden():
            words = (
                tr("One more view waits for a place: press {key}.", key=self._key("next_unplaced"))
                if content.waiting == 1
                else tr(
                    "{count} more views wait for a place: press {key}.",
                    count=content.waiting,
                    key=self._key("next_unplaced"),
                )
            )
            banners.show_banner("case", Banner(tr("Not everything is on the screen."), (words,), tone="caution"))

    # --- what is shown ---

    def _refresh(self, opened: Open | None = None) -> None:
        """Show in the panels what is open now; while a case is on its way nothing can be pressed in them.

        Args:
            opened: what is open about the case on the screen, if it was looked up just now.
        """
        from app.ui.asking import asked_about
        from app.ui.block_panel import Blocked
        from app.ui.resolve_panel import Asked

        window, viewer = self.window, self.viewer
        content = viewer.content
        is_shown = window.middle.currentWidget() is viewer and content is not None
        for panel in (self.panel, self.block_panel):
            panel.setEnabled(viewer.is_settled)
        if not is_shown or content is None or not self.project.is_open:
            self.panel.show_asked(Asked(), {})
            self.block_panel.show_blocked(Blocked())
            return
        if not viewer.is_settled:
            return
        case, store, view = content.case, self.project.look(), viewer.active_view
        if case.blocked_reason or self._is_blocking:
            self.panel.show_asked(Asked(), {})
            views = tuple(store.views.of_study(case.study_id)) if case.blocked_reason else ()
            self.block_panel.show_blocked(
                Blocked(
                    study_id=case.study_id,
                    reason=case.blocked_reason,
                    views=views,
                    is_writable=self.project.is_writable,
                )
            )
            return
        self.block_panel.show_blocked(Blocked())
        recorded = self.decisions.last if self._told_of == case.id else ""
        asked = asked_about(
            view, content, store, opened, is_by_hand=view is not None and view.id == self._by_hand, recorded=recorded
        )
        self.panel.show_asked(asked, window.commands.key_texts)
        window.enable()

    def _key(self, name: str) -> str:
        return self.window.commands.key_text(name)

    def _on_swapped(self, case_id: str) -> None:
        from app.ui.asking import open_of

        viewer = self.viewer
        asked = open_of(viewer.content, self.project.look()) if viewer.content is not None else None
        if case_id != self._told_of:
            self._told_of = ""
        if not self._focus and case_id != self._last_case and asked is not None:
            is_asked = viewer.active_view is not None and viewer.active_view.id in asked.view_ids
            self._focus = "" if is_asked or not asked.view_ids else asked.view_ids[0]
        self._last_case = case_id
        if self._focus:
            numbers = [
                number for number, place in enumerate(viewer.places)
                if place.hanging.view is not None and place.hanging.view.id == self._focus
            ]  # fmt: skip
            self._focus = ""
            if numbers and viewer.places[numbers[0]] is not viewer.active_place:
                viewer.set_active(numbers[0])
        view_ids = {place.hanging.view.id for place in viewer.places if place.hanging.view is not None}
        if self._by_hand not in view_ids:
            self._by_hand = ""
        self._is_blocking = False
        self._refresh(asked)
        self.show_case_banner()

    def _on_closed(self) -> None:
        self.decisions.forget()
        self._by_hand = self._focus = self._told_of = ""
        self._is_blocking = False
        self._refresh()

    # --- what is decided ---

    def _pressed(self, name: str) -> Callable[[bool], object]:
        return lambda _: self._on_answered(name)

    def _on_answered(self, name: str) -> None:
        """A button of the panel or a key."""
        if name in ("next_question", "take_back", "next_unplaced"):
            self.window.actions_by_id[name].trigger()
            return
        view, content = self.viewer.active_view, self.viewer.content
        if view is None or content is None or not self.may_decide:
            return
        cases = self._record(name, view)
        if cases is not None:
            self._by_hand = ""
            self._go_on_after(content.case, view, cases)

    def _record(self, name: str, view: View) -> list[Case] | None:
        from app.core.case import Projection, Side
        from app.core.questions import QuestionKind
        from app.ui.evidence_view import VALUES

        decisions, asked = self.decisions, self.panel.asked
        kind = QuestionKind.PROJECTION if name in PROJECTIONS else QuestionKind.SIDE
        others = asked.alike.get(kind, ()) if self.panel.is_same(kind) else ()
        if name in PROJECTIONS or name in SIDES:
            value = tr(VALUES[name])
            words = (
                tr("Recorded for {count} views: {value}", count=1 + len(others), value=value)
                if others
                else tr("Recorded for {view}: {value}", view=view.id, value=value)
            )
            views = [view, *others]
            if name in PROJECTIONS:
                return decisions.answer(views, words, projection=Projection(name))
            return decisions.answer(views, words, side=Side(name))
        left, right = (place.hanging.view for place in self.viewer.places[:2])
        if name == "swap" and asked.may_swap and left is not None and right is not None:
            return decisions.pair(right, left, tr("Recorded: the panes are swapped"))
        if name == "confirm" and asked.may_pair and left is not None and right is not None:
            return decisions.pair(left, right, tr("Recorded: frontal left, lateral right"))
        if name == "confirm" and not view.projection.is_open and not view.side.is_open:
            return decisions.confirm(view, tr("Recorded for {view}: as shown", view=view.id))
        if name == "keep_this" and asked.rivals:
            rivals = self._rivals_of(view)
            return decisions.exclude(rivals, "repeat", tr("Excluded as repeats: {views}", views=", ".join(rivals)))
        reason = name.removeprefix("exclude:")
        if name.startswith("exclude:") and reason in EXCLUSION_REASONS:
            words = tr("Excluded: {view} ({reason})", view=view.id, reason=tr(reason))
            return decisions.exclude([view.id], reason, words)
        if name.startswith("include:"):
            back = name.removeprefix("include:")
            return decisions.exclude([back], "", tr("Taken back in: {view}", view=back))
        return None

    def _rivals_of(self, view: View) -> list[str]:
        from app.core.questions import QuestionKind
        from app.ui.asking import open_of

        content = self.viewer.content
        assert content is not None, "a view that is asked about is on the screen"
        questions = open_of(content, self.project.look()).about(view.id)
        return [
            name
            for question in questions
            if question.kind is QuestionKind.REPEAT
            for name in (question.view_id, *question.rivals)
            if name != view.id
        ]

    # --- where to go on ---

    def _go_on_after(self, case: Case, view: View, cases: list[Case]) -> None:
        """Stay with the view while something about it is open, else go to what is open nearby."""
        here = [one for one in cases if one.id == case.id]
        holding = [one for one in cases if view.id in one.view_ids]
        store = self.project.look()
        now = store.views.get(view.id)
        is_done = now is None or bool(now.excluded_reason) or not (now.projection.is_open or now.side.is_open)
        if not is_done and holding:
            target = here[0] if here and view.id in here[0].view_ids else holding[0]
            self._open(target.id, view.id)
            return
        still_open = [one for one in [*here, *cases] if one.questions]
        if still_open:
            self._open_first_question(still_open[0].id)
        elif self.window.actions_by_id["go_on"].isChecked() and (following := store.cases.next_open(case.id)):
            self._open_first_question(following)
        elif here or holding:
            self._open((here or holding)[0].id, view.id)
        else:
            self._open_anything(case.id)

    def _go_to_next_question(self) -> None:
        """The next view of this case that is asked about, else the next case in which something is."""
        from app.ui.asking import open_of

        content, view = self.viewer.content, self.viewer.active_view
        if content is None:
            return
        asked = open_of(content, self.project.look()).view_ids
        here = asked.index(view.id) if view is not None and view.id in asked else -1
        if here + 1 < len(asked):
            self._open(content.case.id, asked[here + 1])
            return
        following = self.project.look().cases.next_open(content.case.id)
        if following:
            self._open_first_question(following)
        elif asked:
            self._open(content.case.id, asked[0])
        else:
            self.window.statusBar().showMessage(tr("Nothing is open in this project."), 5000)

    def _open_first_question(self, case_id: str) -> None:
        from app.ui.asking import open_of

        content = self.project.content(case_id)
        asked = open_of(content, self.project.look()).view_ids if content is not None else ()
        self._open(case_id, asked[0] if asked else "")

    def _open(self, case_id: str, view_id: str) -> None:
        """Open a case so that a view of it is on the screen and active."""
        content = self.project.content(case_id)
        if content is None:
            self._open_anything(case_id)
            return
        waiting = content.case.unassigned_ids
        shown = {place.view.id for place in (content.frontal, content.lateral) if place.view is not None}
        turn = 0
        if view_id in waiting and view_id not in shown:
            turn = waiting.index(view_id) or len(waiting)
        self._focus = view_id
        self._told_of = case_id
        self.window.cases.go_to(case_id, turn=turn)

    def _open_anything(self, case_id: str) -> None:
        """The case is gone: open what is listed first, or say that nothing is left."""
        first = self.window.case_list.model.case_at(0)
        if first and first != case_id:
            self._open(first, "")
        else:
            self.viewer.clear(tr("No view of this study is left in a case."))
            self._refresh()

    # --- asking by hand, taking back, blocking ---

    def _ask(self) -> None:
        """Ask what the active view shows, though it is known; or stop asking."""
        view = self.viewer.active_view
        self._by_hand = view.id if view is not None and view.id != self._by_hand else ""
        self._refresh()
        self.window.enable()
        self.show_case_banner()

    def _take_back(self) -> None:
        content, view = self.viewer.content, self.viewer.active_view
        cases = self.decisions.take_back()
        if not cases:
            self._refresh()
            return
        here = [case for case in cases if content is not None and case.id == content.case.id]
        holding = [case for case in (*here, *cases) if view is not None and view.id in case.view_ids]
        target = (holding or here or cases)[0]
        if view is not None and holding:
            self._open(target.id, view.id)
        else:
            self._open_first_question(target.id)

    def _begin_blocking(self) -> None:
        self._is_blocking = True
        self._refresh()
        self.block_panel.reason.setFocus()

    def _leave_blocking(self) -> None:
        self._is_blocking = False
        self._refresh()
        self.window.case_list.table.setFocus()

    def _block(self, reason: str) -> None:
        content = self.viewer.content
        if content is not None and self.viewer.is_settled:
            self._is_blocking = False
            if self.decisions.block(content.case.study_id, reason, tr("Blocked")) is not None:
                self._open(content.case.id, "")

    def _release(self, reason: str) -> None:
        content = self.viewer.content
        if content is not None and self.viewer.is_settled:
            cases = self.decisions.release(content.case.study_id, reason, tr("Released"))
            if cases is not None:
                self.window.case_list.table.setFocus()
                self._open(content.case.id, "")

    def _exclude_blocked(self, view_id: str, is_out: bool) -> None:
        content = self.viewer.content
        if content is None or not self.viewer.is_settled:
            return
        words = tr("Excluded: {view} ({reason})", view=view_id, reason=tr(WRONG_PATIENT))
        if not is_out:
            words = tr("Taken back in: {view}", view=view_id)
        cases = self.decisions.exclude([view_id], WRONG_PATIENT if is_out else "", words)
        if cases is None:
            return
        still_here = [case for case in cases if case.id == content.case.id] or cases
        if still_here:
            self._open(still_here[0].id, "")
        else:
            self._open_anything(content.case.id)

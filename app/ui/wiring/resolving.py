"""Deciding what a view shows, and what must be decided about a case."""

from __future__ import annotations

from collections.abc import Callable

from app.ui.commands.resolve import EXCLUSION_REASONS, RESOLVE_COMMANDS
from app.ui.notices import Banner
from app.ui.wiring.wiring import Wiring


class ResolvingWiring(Wiring):
    """The Resolve menu, the questions under the panes, and the banner of a case."""

    def effects(self) -> dict[str, Callable[[bool], object]]:
        """What the Resolve menu does."""
        decisions = [command.id for command in RESOLVE_COMMANDS if command.needs == "question"]
        return {
            "ask": lambda _: self.viewer.ask_about_active(),
            **{name: self._deciding(name) for name in decisions},
        }

    def connect_rest(self) -> None:
        """Answers that were clicked."""
        self.viewer.answered.connect(self._decide)

    def present(self) -> set[str]:
        """Whether the active view is asked about and may be changed."""
        viewer = self.window.viewer
        if viewer is None or not viewer.is_settled or viewer.active_view is None:
            return set()
        return {"question"} if viewer.may_decide and self.project.is_writable else set()

    def show_case_banner(self) -> None:
        """Say what is the matter with the case on the screen."""
        banners, content = self.window.banners, self.window.cases.content
        banners.remove("case")
        if content is None:
            return
        case = content.case
        if case.blocked_reason:
            remedy = (
                "When you have made sure who this is: "
                f"coxa cases release {case.study_id} --reason TEXT --project {self.project.path}"
            )
            banners.show_banner("case", Banner("Do not read this case.", (case.blocked_reason, remedy), tone="danger"))
            return
        # what the strips under the panes ask already is not said twice
        asked = tuple(f"{place.hanging.view.id}:" for place in self.viewer.places if place.hanging.view is not None)
        lines = [question for question in case.questions if not question.startswith(asked)]
        if count := content.waiting:
            lines.append(f"{count} more {'view waits' if count == 1 else 'views wait'} for a place: press U.")
        if lines:
            banners.show_banner("case", Banner("To be decided", tuple(lines), tone="caution"))

    def _deciding(self, command: str) -> Callable[[bool], object]:
        def decide(_: bool) -> None:
            view = self.viewer.active_view
            if view is not None and self.viewer.may_decide:
                self._decide(view.id, command)

        return decide

    def _decide(self, view_id: str, command: str) -> None:
        """Record a decision and go on with the case that the view is in now."""
        from app.core.case import Projection, Side

        cases, project = self.window.cases, self.project
        if cases.content is None:
            return
        case_id = cases.content.case.id
        if command.startswith("exclude:") and command.removeprefix("exclude:") in EXCLUSION_REASONS:
            after = project.exclude(case_id, view_id, command.removeprefix("exclude:"))
        elif command in {side.value for side in Side}:
            after = project.resolve(case_id, view_id, side=Side(command))
        else:
            after = project.resolve(case_id, view_id, projection=Projection(command))
        if not after:
            after = self.window.case_list.model.case_at(0)
        if after:
            cases.go_to(after)
        else:
            self.viewer.clear("")

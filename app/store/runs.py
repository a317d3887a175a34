"""Training runs of a project: folders under `runs/`, made from a proposal, listed, renamed, thrown away.

A run is complete in its folder but for the images, which it names; so it can be trained where the window is not, and
goes on when the window is closed. Knows no database, so that the window may look at runs from any thread.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from app.core.errors import UserError
from app.core.split import Part
from app.core.training_plan import TrainingCase, TrainingPlan
from app.core.training_proposal import TrainingProposal
from app.core.training_run import RunCase, RunInfo, RunProgress, RunState, StopWish
from app.store.fs import PRIVATE_FOLDER
from app.store.lock import is_held
from app.store.run_folder import Epoch, RunFolder

TRASH = ".trash"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """A run at a glance.

    Args:
        folder: of the run.
        info: what it is.
        plan: what it does.
        state: how far it is; says `BROKEN_OFF` where a process ended without a word.
        live: how far it is, in numbers.
        epochs: what has happened, one entry an epoch.
        has_model: whether a model came out.
    """

    folder: RunFolder
    info: RunInfo
    plan: TrainingPlan
    state: RunState
    live: RunProgress
    epochs: tuple[Epoch, ...]
    has_model: bool

    @property
    def best(self) -> Epoch | None:
        """The epoch whose weights are kept; None before the first."""
        return next((epoch for epoch in reversed(self.epochs) if epoch.is_best), None)

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do: no epoch, no model, no figures. (What was finished early can go on.)"""
        is_trained = self.plan.is_done([epoch.is_best for epoch in self.epochs])
        is_judged = self.has_model and self.folder.evaluation_file.is_file()
        return self.state is RunState.FINISHED and is_trained and is_judged


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """Which weights runs begin with.

    Args:
        start: for the plan: empty, `imagenet`, or `start.safetensors`.
        words: for the card.
        weights: file to be copied into every run; None = none.
        base_model: id of the model that it comes from; empty = none.
    """

    start: str = ""
    words: str = "random"
    weights: Path | None = None
    base_model: str = ""


class Runs:
    """The runs under one folder.

    Args:
        path: the project's `runs` folder, or any other.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def create(
        self,
        proposal: TrainingProposal,
        views: Mapping[str, RunCase],
        *,
        images: Path,
        begin: Begin | None = None,
        title: str = "",
        author: str = "",
        project: str = "",
        event_id: int = 0,
        localiser: Path | None = None,
        command: str = "",
        now: datetime | None = None,
    ) -> list[RunFolder]:
        """Freeze the runs of a proposal: one, or one for each fold, in their order.

        Each folder is there whole or not at all. Nothing is cut yet: the trainer does that.

        Args:
            proposal: what was worked out.
            views: case -> what is cut, of every case that takes part.
            images: the image store.
            begin: which weights they begin with; None = random ones.
            title: name for people; made from task and network when empty.
            author: who makes it.
            project: name of the project.
            event_id: last event of the project.
            localiser: model that proposes regions where nobody has drawn one.
            command: the command that makes it again.
            now: time of making; the present one when left out.

        Raises:
            UserError: `unwritable-run`.
        """
        start = begin or Begin()
        made = (now or datetime.now(UTC)).astimezone(UTC)
        request = proposal.request
        base = f"{made:%Y%m%d-%H%M%S}-{request.network.id}-{request.preset}-{secrets.token_hex(2)}"
        count = len(proposal.folds)
        folders = []
        try:
            self.path.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
            for number, parts in enumerate(proposal.folds, 1):
                name = base if count == 1 else f"{base}-fold{number:02d}"
                info = RunInfo(
                    id=name,
                    title=(title or f"{request.task.text}: {request.network.title}, {request.preset}")
                    + (f", fold {number} of {count}" if count > 1 else ""),
                    task=request.task.field,
                    created=made.isoformat(timespec="seconds"),
                    author=author,
                    protocol=request.protocol.value,
                    preset=request.preset,
                    initialised_from=start.words,
                    base_model=start.base_model,
                    project=project,
                    event_id=event_id,
                    images=str(images),
                    localiser=str(localiser) if localiser is not None else "",
                    queue=base if count > 1 else "",
                    fold=number if count > 1 else 0,
                    folds=count,
                    command=command,
                )
                plan = msgspec.structs.replace(proposal.plan, start=start.start, seed=request.seed + number - 1)
                folders.append(self._freeze(info, plan, proposal, parts, views, start.weights))
        except OSError as error:
            raise UserError(
                "The training run could not be made.",
                reason=f"{error.strerror}.",
                remedy="Make room on the disk, or choose another folder.",
                kind="unwritable-run",
            ) from error
        return folders

    def all(self) -> list[RunSummary]:
        """Every run that can be read, the newest first; folds in their order."""
        found = []
        for path in self.path.glob("*") if self.path.is_dir() else ():
            if path.name.startswith(".") or not (path / "plan.json").is_file():
                continue
            try:
                found.append(summary(RunFolder(path)))
            except UserError:
                continue  # a damaged run is no reason not to see the others; `coxa check` names it
        found.sort(key=lambda each: (each.info.queue or each.info.id, -each.info.fold), reverse=True)
        return found

    def get(self, run_id: str) -> RunSummary:
        """One run.

        Raises:
            UserError: `no-run` or `bad-run`.
        """
        return summary(self._folder(run_id))

    def rename(self, run_id: str, title: str) -> RunInfo:
        """Call a run something else.

        Raises:
            UserError: `no-run`, or `bad-title`.
        """
        plain = " ".join(title.split())
        if not plain or len(plain) > 120 or not plain.isprintable():
            raise UserError("A run needs a name of one line.", remedy="Give it one.", kind="bad-title")
        folder = self._folder(run_id)
        info = msgspec.structs.replace(folder.info(), title=plain)
        folder.write_info(info)
        return info

    def delete(self, run_id: str) -> None:
        """Move a run to the trash.

        Raises:
            UserError: `no-run`, or `run-in-use`: it is being trained.
        """
        folder = self._folder(run_id)
        if is_training(folder):
            raise UserError(
                "This run is being trained.",
                reason="Its process is still alive.",
                remedy="Stop it first.",
                kind="run-in-use",
            )
        trash = self.path / TRASH
        trash.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        goal = trash / folder.path.name
        if goal.exists():
            shutil.rmtree(goal)
        folder.path.replace(goal)

    def trashed(self) -> list[str]:
        """Ids of the runs in the trash, by name."""
        trash = self.path / TRASH
        return sorted(path.name for path in trash.iterdir()) if trash.is_dir() else []

    def restore(self, run_id: str) -> None:
        """Bring a run back from the trash.

        Raises:
            UserError: `no-run`.
        """
        if run_id not in self.trashed():
            raise _unknown(run_id)
        (self.path / TRASH / run_id).replace(self.path / run_id)

    def empty_trash(self) -> int:
        """Remove what is in the trash for good. Returns how many runs there were."""
        names = self.trashed()
        for name in names:
            shutil.rmtree(self.path / TRASH / name)
        return len(names)

    def _folder(self, run_id: str) -> RunFolder:
        path = self.path / run_id
        if run_id != path.name or run_id.startswith(".") or not (path / "plan.json").is_file():
            raise _unknown(run_id)
        return RunFolder(path)

    def _freeze(
        self,
        info: RunInfo,
        plan: TrainingPlan,
        proposal: TrainingProposal,
        parts: Mapping[str, Part],
        views: Mapping[str, RunCase],
        weights: Path | None,
    ) -> RunFolder:
        order = sorted(parts)  # the same in every fold, so that they can share one cache
        draft = RunFolder(self.path / f".{info.id}.{os.getpid()}.new")
        try:
            draft.freeze_views(info, [views[case] for case in order])
            if weights is not None:
                shutil.copyfile(weights, draft.start_file)
            draft.freeze(plan, [_case(proposal, case, parts[case], plan) for case in order])
            draft.path.replace(self.path / info.id)
        except BaseException:
            shutil.rmtree(draft.path, ignore_errors=True)
            raise
        return RunFolder(self.path / info.id)


def summary(folder: RunFolder) -> RunSummary:
    """A run at a glance.

    Raises:
        UserError: `no-run` or `bad-run`.
    """
    live = folder.live()
    state = live.state
    if state in (RunState.RUNNING, RunState.PREPARING, RunState.QUEUED) and not is_training(folder):
        state = RunState.NEW if state is RunState.QUEUED else RunState.BROKEN_OFF
    return RunSummary(
        folder=folder,
        info=folder.info(),
        plan=folder.plan(),
        state=state,
        live=live,
        epochs=tuple(folder.epochs()),
        has_model=(folder.model_folder / "card.toml").is_file(),
    )


def is_training(folder: RunFolder) -> bool:
    """Whether a living process trains this run now, or waits for its turn to."""
    return is_held(folder.lock_file)


def stop(folder: RunFolder, wish: StopWish) -> bool:
    """Ask a run to end after its present step.

    Returns:
        Whether there is a process to hear it; if not, nothing is asked.
    """
    if not is_training(folder):
        return False
    folder.ask_to_stop(wish)
    return True


def queue_of(summaries: Sequence[RunSummary], queue: str) -> list[RunSummary]:
    """The runs of one cross-validation, by fold."""
    return sorted((each for each in summaries if each.info.queue == queue), key=lambda each: each.info.fold)


def _case(proposal: TrainingProposal, case: str, part: Part, plan: TrainingPlan) -> TrainingCase:
    return TrainingCase(id=case, patient=proposal.patients[case], part=part, label=proposal.labels[case])


def _unknown(run_id: str) -> UserError:
    return UserError(
        "There is no such training run.",
        reason=f"No run has the name {run_id[:80]}.",
        remedy="`coxa train --project DIR --list` lists them.",
        kind="no-run",
    )

"""One run from its frozen folder to its model, saying how far it is, and several of them in a queue."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psutil
import torch
from filelock import FileLock, Timeout

from app.core.errors import UserError
from app.core.split import Leak, Part, SplitCase, leaks
from app.core.training_run import Problem, RunInfo, RunProgress, RunState, StopWish
from app.engine.device import choose_device
from app.engine.loaded_model import LoadedModel
from app.engine.training.finish import About
from app.engine.training.finish_run import finish_run
from app.engine.training.machine import Machine, kept_machine, machine_of
from app.engine.training.prepare import Localise, is_prepared, prepare
from app.engine.training.processes import is_alone, is_first_process
from app.engine.training.trainer import Trainer
from app.store.fs import PRIVATE_FILE
from app.store.run_folder import Epoch, RunFolder

LOG = logging.getLogger(__name__)
EVERY_S = 1.0  # between two reports
PATIENCE_S = 2.0  # for a lock that somebody only looks at


def train_run(
    run: RunFolder,
    *,
    device: str = "auto",
    precision: str = "auto",
    threads: int = 0,
    siblings: Sequence[RunFolder] = (),
    on_epoch: Callable[[Epoch], None] | None = None,
) -> RunState:
    """Train a run until it is done, or until it is asked to stop; resumes where it stopped.

    Args:
        run: its folder.
        device: see `machine_of`.
        precision: see `machine_of`.
        threads: see `machine_of`.
        siblings: runs that may have cut the same images already.
        on_epoch: is told after every epoch.

    Returns:
        `FINISHED` with a model, or `PAUSED`.

    Raises:
        UserError: `run-in-use`, or whatever kept it from being trained; written to the run, too.
    """
    if not is_first_process():
        return _assist(run)
    lock = FileLock(run.lock_file, mode=PRIVATE_FILE, thread_local=False)
    try:
        lock.acquire(timeout=PATIENCE_S)
    except Timeout:
        raise UserError(
            "This run is being trained already.",
            reason="Another process holds it.",
            remedy="Look at its progress, or stop it there first.",
            kind="run-in-use",
        ) from None
    except OSError as error:
        raise UserError(
            "This run cannot be trained where it is.",
            reason=f"The system says: {(error.strerror or 'unknown error').lower()}.",
            remedy="Copy its folder to a place that can be written to, or check its rights.",
            kind="unwritable-folder",
        ) from error
    try:
        return _train(run, device, precision, threads, siblings, on_epoch)
    finally:
        lock.release()


def train_queue(
    runs: Sequence[RunFolder],
    *,
    device: str = "auto",
    precision: str = "auto",
    threads: int = 0,
    on_epoch: Callable[[Epoch], None] | None = None,
    on_run: Callable[[RunFolder], None] | None = None,
) -> list[RunState]:
    """Train runs one after another, those that are not finished; a pause ends the queue, a failure does not (under
    `torchrun` it does).

    Every fold is a run of its own: it can be trained elsewhere, alone, and the queue goes on with the others.
    """
    states = []
    for run in runs:
        if run.live().state is RunState.FINISHED:
            states.append(RunState.FINISHED)
            continue
        if on_run is not None:
            on_run(run)
        try:
            states.append(
                train_run(run, device=device, precision=precision, threads=threads, siblings=runs, on_epoch=on_epoch)
            )
        except UserError as error:
            if not is_alone():  # the other processes are in the middle of this run
                raise
            LOG.warning("a run of the queue failed (%s)", error.kind)
            states.append(RunState.FAILED)
        if states[-1] is RunState.PAUSED:
            break
    return states


class Reporter:
    """Says how far a run is, about once a second.

    Args:
        run: whose.
        epochs: at most.
    """

    def __init__(self, run: RunFolder, epochs: int) -> None:
        self._run, self._last = run, 0.0
        self.now = RunProgress(state=RunState.PREPARING, pid=os.getpid(), epochs=epochs)

    def say(self, *, is_due: bool = False, **changes: object) -> None:
        """Change what is said; written only when a second has passed, unless it is due now."""
        self.now = msgspec.structs.replace(self.now, **changes)
        if is_due or time.monotonic() - self._last >= EVERY_S:
            self._last = time.monotonic()
            at = datetime.now(UTC).isoformat(timespec="milliseconds")
            self.now = msgspec.structs.replace(self.now, at=at, memory_bytes=_memory())
            self._run.write_live(self.now)


def about_run(info: RunInfo, run: RunFolder) -> About:
    """What the card of a run's model says."""
    cases = run.cases()
    counts = {part: [case for case in cases if case.part is part] for part in Part}

    def words(part: Part) -> str:
        inside = counts[part]
        where = f" of project “{info.project}”" if info.project else ""
        return f"{len(inside)} {part.value} cases of {len({case.patient for case in inside})} patients{where}"

    plan = run.plan()
    return About(
        id=run.path.name[:64],
        title=info.title,
        task=f"{' or '.join(plan.classes) if len(plan.classes) > 1 else plan.classes[0] + ' or not'}.",
        trained_on=words(Part.TRAINING),
        chosen_on=words(Part.VALIDATION),
        measured_on=words(Part.TEST),
        initialised_from=info.initialised_from,
        seeds=f"{plan.seed}; split {info.protocol}",
        command=info.command or "coxa train RUN_DIR",
        limits="Knows only cases like those that it was trained on. Nothing is known about other detectors, other "
        "hospitals, or views of another kind.",
        licence="Belongs to whoever annotated the cases.",
        decides=info.task,
        intended_use="Research. Not for diagnosis.",
    )


def write_graph_of(model: Path) -> str | None:
    """Write the graph by which CPUs compute quicker. Returns what is to be said where that failed: the model can be
    used without."""
    try:
        from app.engine.graph_export import export_graph

        export_graph(model)
    except Exception as error:
        LOG.warning("no graph was written (%s)", type(error).__name__)
        return "There is no graph of this model for CPUs: it answers through torch, which is slower."
    return None


def _train(
    run: RunFolder,
    device: str,
    precision: str,
    threads: int,
    siblings: Sequence[RunFolder],
    on_epoch: Callable[[Epoch], None] | None,
) -> RunState:
    plan, info = run.plan(), run.info()
    run.stop_file.unlink(missing_ok=True)
    reporter = Reporter(run, plan.epochs)
    try:
        _refuse_leaks(run)
        if not is_prepared(run):
            reporter.say(is_due=True, cases=len(run.cases()))
            prepare(
                run,
                localiser=localiser_of(info),
                siblings=siblings,
                tell=lambda done, cases: reporter.say(prepared=done, cases=cases),
            )
        reporter.say(is_due=True)
        machine = machine_of(run, device=device, precision=precision, threads=threads)
        state = _run_epochs(run, machine, reporter, on_epoch)
        if state is RunState.FINISHED:
            reporter.say(is_due=True)
            finish_run(run, run.model_folder, about_run(info, run), machine.choice())
            note = write_graph_of(run.model_folder)
            reporter.say(notes=(*reporter.now.notes, *([note] if note else [])))
        reporter.say(is_due=True, state=state, pid=0, seconds_left=0.0 if state is RunState.FINISHED else None)
        return state
    except UserError as error:
        _fail(reporter, error)
        raise
    except OSError as error:
        told = _unwritable(error)
        _fail(reporter, told)
        raise told from error
    except KeyboardInterrupt:
        reporter.say(is_due=True, state=RunState.PAUSED, pid=0)
        raise
    except Exception as error:
        problem = Problem(
            title="The training ended with a fault in Coxa.",
            reason=type(error).__name__,
            remedy="Resume it; if it happens again, please report it.",
            kind="fault",
        )
        reporter.say(is_due=True, state=RunState.FAILED, pid=0, problem=problem)
        raise
    finally:
        run.stop_file.unlink(missing_ok=True)


def _fail(reporter: Reporter, error: UserError) -> None:
    """Write down why it failed, unless there is no room even for that."""
    problem = Problem(title=error.title, reason=error.reason, remedy=error.remedy, kind=error.kind)
    with contextlib.suppress(OSError):
        reporter.say(is_due=True, state=RunState.FAILED, pid=0, problem=problem)


def _unwritable(error: OSError) -> UserError:
    return UserError(
        "The training run cannot be written.",
        reason=f"{error.strerror or 'The disk does not answer'}.",
        remedy="Make room on the disk, then resume it: it goes on after its last whole epoch.",
        kind="unwritable-run",
    )


def _run_epochs(
    run: RunFolder, machine: Machine, reporter: Reporter, on_epoch: Callable[[Epoch], None] | None
) -> RunState:
    plan = run.plan()
    cases = sum(case.part is Part.TRAINING for case in run.cases())
    guess = machine.seconds_per_case * cases * plan.epochs if machine.seconds_per_case is not None else None
    reporter.say(
        is_due=True, state=RunState.RUNNING, cases=cases, device=machine.name, precision=machine.precision,
        notes=machine.notes, seconds_left=guess,
    )  # fmt: skip

    def told(epoch: int, step: int, steps: int, loss: float, seconds: float) -> None:
        each = seconds / step * steps  # of an epoch, without what follows its last step
        past = [done.seconds for done in trainer.epochs[-3:]]
        left = (plan.epochs - epoch) * (sum(past) / len(past) if past else each) + each * (steps - step) / steps
        reporter.say(
            epoch=epoch, step=step, steps=steps, loss=loss, seconds_left=left,
            cases_per_s=step / steps * cases / seconds, notes=(*machine.notes, *trainer.notes),
            waiting=trainer.epochs[-1].waiting if trainer.epochs else None,
        )  # fmt: skip

    trainer = Trainer(run, machine.choice(), micro_batch=machine.micro_batch, on_step=told, on_epoch=on_epoch)
    trainer.run()
    reporter.say(notes=(*machine.notes, *trainer.notes))
    if trainer.is_finished:
        return RunState.FINISHED
    is_enough = run.wish() is StopWish.FINISH and run.best_file.is_file()
    return RunState.FINISHED if is_enough else RunState.PAUSED


def _assist(run: RunFolder) -> RunState:
    """What the other processes of `torchrun` do: wait until the first one has prepared, then share its work."""
    while not is_prepared(run) or kept_machine(run) is None:
        time.sleep(0.2)
    machine = kept_machine(run)
    assert machine is not None
    torch.set_num_threads(machine.threads)
    wish = f"cuda:{os.environ['LOCAL_RANK']}" if machine.device.startswith("cuda") else machine.device
    trainer = Trainer(run, choose_device(wish, machine.precision), micro_batch=machine.micro_batch)
    trainer.run()
    return RunState.FINISHED if trainer.is_finished else RunState.PAUSED


def _refuse_leaks(run: RunFolder) -> None:
    """A frozen table may have been edited, or made elsewhere: it is looked at once more before anything is learnt."""
    images: dict[str, tuple[str, ...]] = {}
    if run.views_file.is_file():
        images = {case.id: tuple(view.image_sha256 for view in case.views) for case in run.views()}
    cases = run.cases()
    found = leaks(
        [
            SplitCase(id=case.id, patient=case.patient, label=str(case.label), images=images.get(case.id, ()))
            for case in cases
        ],
        {case.id: case.part for case in cases},
    )
    if found:
        raise _leak(found[0], len(found))


def localiser_of(info: RunInfo) -> Localise | None:
    """Loads the localiser of a run when it is needed; None where it names none."""
    if not info.localiser:
        return None

    def load() -> tuple[object, object]:
        model = LoadedModel(Path(info.localiser), device=torch.device("cpu"), precision=torch.float32)
        return model.card.input, model.score

    return load  # type: ignore[return-value]


def _memory() -> int:
    if torch.cuda.is_available() and torch.cuda.memory_allocated():
        return int(torch.cuda.max_memory_allocated())
    return int(psutil.Process().memory_info().rss)


def _leak(leak: Leak, count: int) -> UserError:
    return UserError(
        "This split leaks.",
        reason=f"A{'n' if leak.what == 'image' else ''} {leak.what} is in {' and '.join(leak.parts)} (cases "
        f"{', '.join(leak.cases[:4])}); {count} such in all.",
        remedy="Make the run again from the project.",
        kind="leak",
    )

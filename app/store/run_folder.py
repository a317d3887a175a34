"""A run on disk. Everything that the trainer reads and writes has its name here.

`run.json`, `plan.json`, `cases.jsonl` and `views.jsonl` are frozen before the run begins; `cache/` holds what the
networks are fed, larger by a margin; `machine.json` what it was first computed on; `progress.jsonl` grows by a line an
epoch, `live.json` is how far it is now; `last.pt` is for resuming; `best.safetensors`, `scores.json`,
`evaluation.json` and `model/` are what comes out. Knows no database; the engine uses it too.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from app.core.errors import UserError
from app.core.evaluation import Evaluation
from app.core.training_plan import TrainingCase, TrainingPlan
from app.core.training_run import RunCase, RunInfo, RunProgress, RunState, StopWish, WorstCase

MARGIN = 1.3  # side of a cached image ÷ side of the input: what rotation, shift and zoom can bring in


class Epoch(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the progress.

    Args:
        number: 1, 2, 3 …
        training_loss: mean over the epoch.
        validation_loss: after it, with the weights that would be kept; None without validation cases.
        auc: of the finding on the validation cases; None with one class only.
        accuracy: of the validation cases at 0.5, or of the largest probability; None without any.
        learning_rate: in the last step.
        cases_per_s: of training.
        seconds: of the whole epoch.
        is_best: whether its weights were kept.
        waiting: share of the training time that was spent waiting for images.
    """

    number: int
    training_loss: float
    validation_loss: float | None
    auc: float | None
    accuracy: float | None
    learning_rate: float
    cases_per_s: float
    seconds: float
    is_best: bool
    waiting: float = 0.0


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The folder of one run."""

    path: Path

    @property
    def info_file(self) -> Path:
        """What the run is."""
        return self.path / "run.json"

    @property
    def views_file(self) -> Path:
        """What is cut out of which image, in the order of the case table; not there for a run whose cache came with
        it."""
        return self.path / "views.jsonl"

    @property
    def start_file(self) -> Path:
        """The weights to begin with, copied, so that the folder is complete."""
        return self.path / "start.safetensors"

    @property
    def clicks_file(self) -> Path:
        """(cases, views, 2) float32, fracture centres in coordinates of the model input; NaN = none."""
        return self.path / "cache" / "clicks.npy"

    @property
    def machine_file(self) -> Path:
        """Device, precision and threads of the first start; kept when it is resumed, so that the curve goes on."""
        return self.path / "machine.json"

    @property
    def live_file(self) -> Path:
        """How far it is now."""
        return self.path / "live.json"

    @property
    def worst_file(self) -> Path:
        """Validation cases that are most wrong after the last epoch."""
        return self.path / "worst.json"

    @property
    def evaluation_file(self) -> Path:
        """What was measured of it."""
        return self.path / "evaluation.json"

    @property
    def model_folder(self) -> Path:
        """The model that came out: weights and card."""
        return self.path / "model"

    @property
    def lock_file(self) -> Path:
        """Locked by the trainer while it lives."""
        return self.path / "trainer.lock"

    @property
    def plan_file(self) -> Path:
        """The frozen plan."""
        return self.path / "plan.json"

    @property
    def cases_file(self) -> Path:
        """The frozen case table."""
        return self.path / "cases.jsonl"

    @property
    def levels_file(self) -> Path:
        """(cases, views, side, side) uint8 display levels."""
        return self.path / "cache" / "levels.npy"

    @property
    def inside_file(self) -> Path:
        """(cases, views, side, side) bool: whether there is image."""
        return self.path / "cache" / "inside.npy"

    @property
    def progress_file(self) -> Path:
        """One `Epoch` a line."""
        return self.path / "progress.jsonl"

    @property
    def checkpoint_file(self) -> Path:
        """What resuming needs."""
        return self.path / "last.pt"

    @property
    def best_file(self) -> Path:
        """The weights to keep."""
        return self.path / "best.safetensors"

    @property
    def scores_file(self) -> Path:
        """What the kept weights say about every validation and test case."""
        return self.path / "scores.json"

    @property
    def stop_file(self) -> Path:
        """While it is there, the trainer stops after the present step and keeps what it has."""
        return self.path / "stop"

    def plan(self) -> TrainingPlan:
        """The plan.

        Raises:
            UserError: `no-run` or `bad-run`.
        """
        return _decoded(self.plan_file, TrainingPlan)

    def cases(self) -> list[TrainingCase]:
        """The case table, in the order of the cache.

        Raises:
            UserError: `no-run` or `bad-run`.
        """
        try:
            lines = self.cases_file.read_bytes().splitlines()
            return [msgspec.json.decode(line, type=TrainingCase) for line in lines]
        except OSError as error:
            raise _no_run(error) from error
        except (msgspec.DecodeError, ValueError) as error:
            raise _bad_run(self.cases_file, error) from error

    def freeze(self, plan: TrainingPlan, cases: Iterable[TrainingCase]) -> None:
        """Write plan and case table of a new run."""
        (self.path / "cache").mkdir(parents=True, exist_ok=True)
        self.cases_file.write_bytes(b"".join(msgspec.json.encode(case) + b"\n" for case in cases))
        replace(self.plan_file, msgspec.json.format(msgspec.json.encode(plan)))

    def freeze_views(self, info: RunInfo, views: Iterable[RunCase]) -> None:
        """Write what the run is and what it cuts; before `freeze`, whose plan makes the folder a run."""
        self.path.mkdir(parents=True)
        replace(self.info_file, msgspec.json.format(msgspec.json.encode(info)))
        replace(self.views_file, b"".join(msgspec.json.encode(case) + b"\n" for case in views))

    def info(self) -> RunInfo:
        """What the run is; made of the folder's name where nothing was written (a run that was made by a program)."""
        try:
            return msgspec.json.decode(self.info_file.read_bytes(), type=RunInfo)
        except FileNotFoundError:
            return RunInfo(id=self.path.name, title=self.path.name, task="", created="", preset=self.plan().preset)
        except OSError as error:
            raise _no_run(error) from error
        except (msgspec.DecodeError, ValueError) as error:
            raise _bad_run(self.info_file, error) from error

    def write_info(self, info: RunInfo) -> None:
        """Replace what the run is called."""
        replace(self.info_file, msgspec.json.format(msgspec.json.encode(info)))

    def views(self) -> list[RunCase]:
        """What is cut, in the order of the case table.

        Raises:
            UserError: `no-run` or `bad-run`.
        """
        try:
            lines = self.views_file.read_bytes().splitlines()
            return [msgspec.json.decode(line, type=RunCase) for line in lines]
        except OSError as error:
            raise _no_run(error) from error
        except (msgspec.DecodeError, ValueError) as error:
            raise _bad_run(self.views_file, error) from error

    def live(self) -> RunProgress:
        """How far it is, as it was last written; whether its process still lives is for `is_training` to say."""
        try:
            return msgspec.json.decode(self.live_file.read_bytes(), type=RunProgress)
        except (OSError, msgspec.DecodeError):
            return RunProgress(state=RunState.NEW)

    def write_live(self, progress: RunProgress) -> None:
        """Say how far it is."""
        replace(self.live_file, msgspec.json.encode(progress))

    def worst(self) -> list[WorstCase]:
        """Validation cases that are most wrong after the last epoch, the worst first."""
        try:
            return msgspec.json.decode(self.worst_file.read_bytes(), type=list[WorstCase])
        except (OSError, msgspec.DecodeError):
            return []

    def evaluation(self) -> Evaluation | None:
        """What was measured of it; None while it is not finished."""
        try:
            return msgspec.json.decode(self.evaluation_file.read_bytes(), type=Evaluation)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _no_run(error) from error
        except (msgspec.DecodeError, ValueError) as error:
            raise _bad_run(self.evaluation_file, error) from error

    def wish(self) -> StopWish | None:
        """How it is asked to end; None = it is not."""
        try:
            word = self.stop_file.read_text(encoding="ascii").strip()
        except OSError:
            return None
        return StopWish.FINISH if word == StopWish.FINISH.value else StopWish.PAUSE

    def ask_to_stop(self, wish: StopWish) -> None:
        """Ask it to end after the present step."""
        replace(self.stop_file, wish.value.encode("ascii"))

    def open_cache(self, shape: tuple[int, ...]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
        """New memory-mapped arrays for what the networks are fed, to be filled."""
        levels = np.lib.format.open_memmap(self.levels_file, mode="w+", dtype=np.uint8, shape=shape)
        inside = np.lib.format.open_memmap(self.inside_file, mode="w+", dtype=np.bool_, shape=shape)
        return levels, inside

    def cache(self) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
        """The filled arrays, memory-mapped."""
        try:
            return np.load(self.levels_file, mmap_mode="r"), np.load(self.inside_file, mmap_mode="r")
        except (OSError, ValueError) as error:
            raise _bad_run(self.levels_file, error) from error

    def clicks(self) -> npt.NDArray[np.float32] | None:
        """Fracture centres of the cut views; None where they stand in the case table."""
        try:
            clicks: npt.NDArray[np.float32] = np.load(self.clicks_file)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise _bad_run(self.clicks_file, error) from error
        return clicks

    def epochs(self) -> list[Epoch]:
        """What has happened so far; a line that was cut off by a crash is left out."""
        if not self.progress_file.is_file():
            return []
        found = []
        for line in self.progress_file.read_bytes().splitlines():
            try:
                found.append(msgspec.json.decode(line, type=Epoch))
            except msgspec.DecodeError:
                break
        return found

    def write_epochs(self, epochs: Iterable[Epoch]) -> None:
        """Replace the progress."""
        replace(self.progress_file, b"".join(msgspec.json.encode(epoch) + b"\n" for epoch in epochs))


def cached_side(size_px: int) -> int:
    """Side of a cached image, px, even; the model input is its middle."""
    return 2 * round(size_px * MARGIN / 2)


def replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(content)
    draft.replace(path)


def _decoded(path: Path, kind: type[TrainingPlan]) -> TrainingPlan:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise _no_run(error) from error
    except (msgspec.DecodeError, ValueError) as error:
        raise _bad_run(path, error) from error


def _no_run(error: OSError) -> UserError:
    return UserError(
        "There is no training run in this folder.",
        reason=f"Its plan cannot be read ({error.strerror}).",
        remedy="Choose the folder of a run.",
        kind="no-run",
    )


def _bad_run(path: Path, error: Exception) -> UserError:
    return UserError(
        "This training run cannot be used.",
        reason=f"{path.name} is damaged ({error}).",
        remedy="Make the run again.",
        kind="bad-run",
    )

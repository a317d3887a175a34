"""From a wish to frozen runs: what the window's panel and `coxa train --project` both do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.core.errors import UserError
from app.core.model_input import InputKind
from app.core.networks import Network, network_named, networks
from app.core.training_presets import protocol_for
from app.core.training_proposal import Protocol, Start, TrainingProposal, TrainingRequest, propose
from app.core.training_task import TrainingTask, tasks_of
from app.store.label_sets import current_label_set
from app.store.model_folder import WEIGHTS, require_safetensors
from app.store.models import ModelEntry, Models
from app.store.project import ProjectStore
from app.store.run_folder import RunFolder
from app.store.runs import Begin, Runs
from app.store.training_cases import TrainingCases, freeze_hold_out, training_cases

HIP = "hip.frontal"  # the place of the model that proposes regions
IMAGENET = "imagenet"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingWish:
    """What somebody chooses; everything has a default.

    Args:
        task: id of a question; empty = the first one that can be learnt.
        network: id of a network; empty = the one of an active model (rather one that fits CPUs, and that sees both
            views), else the first that fits CPUs.
        preset: name of a preset.
        start: which weights; None = the active model's where they fit, else ImageNet's, else random ones.
        start_file: the file, for `Start.FILE`.
        protocol: how cases are divided; None = as the preset says.
        seed: of everything.
        epochs: instead of the preset's; 0 = the preset's.
    """

    task: str = ""
    network: str = ""
    preset: str = "quick"
    start: Start | None = None
    start_file: Path | None = None
    protocol: Protocol | None = None
    seed: int = 0
    epochs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSetup:
    """A worked-out wish: everything that freezing needs.

    Args:
        proposal: what the runs would be.
        cases: what the project knows.
        begin: which weights they begin with.
        localiser: model that proposes regions; None = none is needed, or there is none.
        event_id: last event that was looked at.
    """

    proposal: TrainingProposal
    cases: TrainingCases
    begin: Begin
    localiser: Path | None
    event_id: int


def training_choices(project: ProjectStore) -> tuple[tuple[TrainingTask, ...], tuple[Network, ...]]:
    """What can be trained in a project: tasks of its label set, and networks."""
    return tasks_of(current_label_set(project)), networks()


def set_up(
    project: ProjectStore, wish: TrainingWish, *, reader: str = "", bundled: Path | None = None
) -> TrainingSetup:
    """Work out a training, or say why there can be none; writes nothing and reads no image.

    Args:
        project: the project; read-only is enough.
        wish: what was chosen.
        reader: whose clicks and boxes come first.
        bundled: folder of the bundled models; Coxa's own when left out.

    Raises:
        UserError: `no-task`, `no-network`, `no-start`, or what `propose` refuses.
    """
    models = Models(project, bundled=bundled)
    task = _task(project, wish.task)
    network = _network(models, task, wish.network)
    begin, start = _begin(models, task, network, wish)
    localiser = models.active(HIP) if network.input.kind is InputKind.REGION_CROP else None
    event_id, _ = project.events.head()
    cases = training_cases(project, task, network.input, reader=reader, has_localiser=localiser is not None)
    request = TrainingRequest(
        task=task, network=network, preset=wish.preset, start=start, seed=wish.seed, epochs=wish.epochs,
        protocol=wish.protocol or Protocol(protocol_for(network.id, wish.preset)),
    )  # fmt: skip
    return TrainingSetup(
        proposal=propose(request, cases.candidates),
        cases=cases,
        begin=begin,
        localiser=localiser.folder if localiser is not None else None,
        event_id=event_id,
    )


def make_runs(
    project: ProjectStore, setup: TrainingSetup, *, author: str, title: str = "", command: str = ""
) -> list[RunFolder]:
    """Freeze the runs of a setup under the project; the first one freezes the hold-out as well.

    Args:
        project: open for writing where a hold-out was drawn.
        setup: what was worked out.
        author: who does it.
        title: name for people.
        command: the command that makes it again.

    Raises:
        UserError: `unwritable-run`, `read-only`.
    """
    proposal = setup.proposal
    if proposal.drawn_hold_out and project.is_read_only:
        raise UserError(
            "The hold-out cannot be recorded.",
            reason="This project is open elsewhere, and the patients on whom models are judged must be frozen first.",
            remedy="Begin the training in the window, or close it there.",
            kind="read-only",
        )
    runs = Runs(project.folder.runs).create(
        proposal,
        setup.cases.views,
        images=project.folder.images,
        begin=setup.begin,
        title=title,
        author=author,
        project=project.name,
        event_id=setup.event_id,
        localiser=setup.localiser,
        command=command,
    )
    if proposal.drawn_hold_out:
        with project.transaction():
            freeze_hold_out(project, proposal.drawn_hold_out, author=author)
    return runs


def command_of(setup: TrainingSetup) -> str:
    """The command that makes these runs again."""
    request = setup.proposal.request
    words = [
        "coxa train --project DIR", f"--task {request.task.field}", f"--network {request.network.id}",
        f"--preset {request.preset}", f"--start {request.start.value}", f"--protocol {request.protocol.value}",
        f"--seed {request.seed}",
    ]  # fmt: skip
    return " ".join(words + ([f"--epochs {request.epochs}"] if request.epochs else []))


def _task(project: ProjectStore, name: str) -> TrainingTask:
    tasks = tasks_of(current_label_set(project))
    found = next((task for task in tasks if task.field == name), None) if name else next(iter(tasks), None)
    if found is None:
        names = ", ".join(task.field for task in tasks)
        raise UserError(
            "There is no such task." if name else "Nothing can be learnt from this label set.",
            reason=f"Tasks of this project: {names}." if names else "None of its questions has two answers.",
            remedy="Choose one of these." if names else "Add a question with two answers to the label set.",
            kind="no-task",
        )
    return found


def _network(models: Models, task: TrainingTask, name: str) -> Network:
    if name:
        found = network_named(name)
        if found is None:
            raise UserError(
                "There is no such network.",
                reason=f"Networks: {', '.join(network.id for network in networks())}.",
                remedy="Choose one of these.",
                kind="no-network",
            )
        return found
    answering = [
        network
        for place, entry in models.actives().items()
        if place.partition(".")[0] == task.field and (network := network_named(entry.card.architecture)) is not None
    ]
    # of several models that answer: one that a processor can train within minutes, and rather the one that sees more
    return max(answering, key=lambda network: (network.fits_cpu, len(network.input.roles)), default=networks()[0])


def fitting_start(models: Models, task: TrainingTask, network: Network) -> ModelEntry | None:
    """The active model whose weights a run may begin with; None where it is another network, or there is none."""
    entry = models.active(f"{task.field}.{network.views}")
    return entry if entry is not None and entry.card.architecture == network.id else None


def _begin(models: Models, task: TrainingTask, network: Network, wish: TrainingWish) -> tuple[Begin, Start]:
    active = fitting_start(models, task, network)
    start = wish.start
    if start is None:
        start = Start.ACTIVE if active is not None else Start.SCRATCH
    match start:
        case Start.ACTIVE if active is not None:
            words = f"{active.card.title} ({active.id}, weights {active.card.weights_sha256[:12]})"
            begin = Begin(start="start.safetensors", words=words, weights=active.folder / WEIGHTS, base_model=active.id)
        case Start.ACTIVE:
            raise UserError(
                "There is no active model to begin with.",
                reason=f"No model that answers “{task.text}” is a {network.title}.",
                remedy="Begin with ImageNet weights or random ones, or choose another network.",
                kind="no-start",
            )
        case Start.IMAGENET if network.has_imagenet:
            begin = Begin(start=IMAGENET, words="ImageNet-1k")
        case Start.IMAGENET:
            raise UserError(
                "There are no ImageNet weights for this network.",
                reason=f"{network.title} is no published network.",
                remedy="Begin with the active model or with random weights.",
                kind="no-start",
            )
        case Start.FILE if wish.start_file is not None and wish.start_file.is_file():
            require_safetensors(wish.start_file)
            begin = Begin(start="start.safetensors", words=wish.start_file.name, weights=wish.start_file)
        case Start.FILE:
            raise UserError(
                "The weights to begin with are missing.",
                reason="No such file.",
                remedy="Choose a safetensors file.",
                kind="no-start",
            )
        case Start.SCRATCH:
            begin = Begin()
    return begin, start

"""Whether a model on disk is whole and says what its card says: every check that needs no other cases than noise.

Without PyTorch what can be checked is checked, and the rest is said to be skipped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.core.errors import UserError
from app.core.model_card import ModelCard
from app.core.model_check import CheckState, ModelCheck, card_check
from app.engine.graph_file import has_graph
from app.engine.graph_model import GraphModel
from app.engine.hardware import has_torch
from app.engine.heatmap_method import HeatmapMethod
from app.engine.opinion import RunningModel
from app.engine.quick_precision import CLOSE, check_views
from app.engine.weights_file import tensor, tensor_places
from app.store.model_folder import PLAIN_NAME, read_bytes, read_card, verified_graph, verified_weights

if TYPE_CHECKING:
    from app.engine.audit import FedCase

EXACT = 1e-4  # probabilities in single precision
EXACT_HEATMAP = 1e-3  # of the largest value
PASSED, NOTED, SKIPPED, FAILED = CheckState.PASSED, CheckState.NOTED, CheckState.SKIPPED, CheckState.FAILED


def verify_model(folder: Path, *, is_named: bool = True) -> Iterator[ModelCheck]:
    """Check one model, the quickest checks first; what would follow from a failure is left out.

    Args:
        folder: of the model.
        is_named: whether the folder must have the name of the model; a folder that was received need not.
    """
    try:
        card = read_card(folder)
    except UserError as error:
        yield _failed("the card can be read", error)
        return
    yield _named(folder, card, is_named=is_named)
    yield card_check(card)
    checks = [*_files(folder, card)]
    yield from checks
    if any(check.state is FAILED for check in checks):
        return
    yield from _outputs(folder, card)


def decision_checks(folder: Path, cases: Iterable[FedCase]) -> Iterator[ModelCheck]:
    """Whether the graph decides every case as the network does in single precision, in both of its precisions.

    Args:
        folder: of a model with a graph.
        cases: what they decide about.
    """
    import torch

    from app.engine.loaded_model import LoadedModel

    network = LoadedModel(folder, device=torch.device("cpu"), precision=torch.float32)
    card = network.card
    graphs = {word: GraphModel(folder, precision=word) for word in ("float32", "bfloat16")}
    apart = dict.fromkeys(graphs, 0.0)
    flipped = dict.fromkeys(graphs, 0)
    seen = 0
    for case in cases:
        meant = network.look([case.views])[0].probabilities
        seen += 1
        for word, graph in graphs.items():
            said = graph.look([case.views])[0].probabilities
            apart[word] = max(apart[word], float(np.abs(np.subtract(said, meant)).max()))
            flipped[word] += (_chance(card, said) >= card.threshold) is not (_chance(card, meant) >= card.threshold)
    for word, limit in (("float32", EXACT), ("bfloat16", CLOSE)):
        words = f"{flipped[word]} of {seen} decisions flipped; probabilities differ by at most {apart[word]:.1e}"
        state = PASSED
        if flipped[word] or apart[word] > limit:
            state = NOTED if word == "bfloat16" and not _takes_quick(network, graphs[word]) else FAILED
            words += "" if state is FAILED else "; the engine computes this model in single precision on CPUs"
        yield ModelCheck(f"{word} graph decides as the network", state, words)


def _chance(card: ModelCard, probabilities: tuple[float, ...]) -> float:
    return probabilities[card.finding]


def _named(folder: Path, card: ModelCard, *, is_named: bool) -> ModelCheck:
    name = "the card can be read"
    if not PLAIN_NAME.fullmatch(card.id):
        return ModelCheck(name, FAILED, "its id is not a plain name")
    if is_named and folder.name != card.id:
        return ModelCheck(name, FAILED, f"it is about {card.id}, and the folder is {folder.name}")
    return ModelCheck(name, PASSED, card.title)


def _files(folder: Path, card: ModelCard) -> Iterator[ModelCheck]:
    name = "the weights are those of the card"
    try:
        path = verified_weights(folder, card)
    except UserError as error:
        yield _failed(name, error)
        return
    yield ModelCheck(name, PASSED, f"SHA-256 {card.weights_sha256[:16]}…")
    yield _tensors(path)
    name = "the graph is that of the card"
    try:
        graph = verified_graph(folder, card)
    except UserError as error:
        yield _failed(name, error)
        return
    if graph is None and card.graph_sha256 is not None:
        yield ModelCheck(name, FAILED, "the card names one, and it is missing")
    elif graph is None:
        yield ModelCheck(name, NOTED, "there is none: it runs with PyTorch only, and slower on CPUs")
    elif card.graph_sha256 is None:
        words = "the card does not name it; `python -m app.engine.graph_export --card-only DIR` lets it do so"
        yield ModelCheck(name, NOTED, words)
    else:
        yield ModelCheck(name, PASSED, f"SHA-256 {card.graph_sha256[:16]}…")


def _tensors(path: Path) -> ModelCheck:
    """Whether every tensor can be read and holds numbers."""
    name = "every tensor can be read"
    try:
        content = read_bytes(path)
        places = tensor_places(content)
        for tensor_name, place in places.items():
            if place.dtype is None:
                continue
            if not np.isfinite(tensor(content, place)).all():
                return ModelCheck(name, FAILED, f"{tensor_name} holds values that are no numbers")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return ModelCheck(name, FAILED, f"{type(error).__name__}: {error}")
    return ModelCheck(name, PASSED, f"{len(places)} tensors, {len(content) / 1e6:.1f} MB")


def _outputs(folder: Path, card: ModelCard) -> Iterator[ModelCheck]:
    """What network and graph say, and whether they say the same."""
    network: RunningModel | None = None
    name = "the network takes the weights"
    if has_torch():
        import torch

        from app.engine.loaded_model import LoadedModel

        try:
            network = LoadedModel(folder, device=torch.device("cpu"), precision=torch.float32)
            yield ModelCheck(name, PASSED, card.architecture)
        except UserError as error:
            yield _failed(name, error)
            return
    else:
        yield ModelCheck(name, SKIPPED, "PyTorch is not installed")
    if not has_graph(folder):
        return
    name = "the graph can be computed"
    try:
        graphs = {word: GraphModel(folder, precision=word) for word in ("float32", "bfloat16")}
    except UserError as error:
        yield _failed(name, error)
        return
    yield ModelCheck(name, PASSED, f"OpenVINO, made with {graphs['float32'].facts.made_with}")
    name = "the graph says what the network says"
    if network is None:
        yield ModelCheck(name, SKIPPED, "PyTorch is not installed")
        return
    compare = _places_apart if not graphs["float32"].facts.has_gradient else _opinions_apart
    yield from compare(name, network, graphs)


def _opinions_apart(name: str, network: RunningModel, graphs: dict[str, GraphModel]) -> Iterator[ModelCheck]:
    cases, way, finding = check_views(network.card.input), HeatmapMethod.GRAD_CAM, network.card.finding
    meant = network.look(cases, method=way, class_number=finding)
    for word, limit in (("float32", EXACT), ("bfloat16", CLOSE)):
        said = graphs[word].look(cases, method=way, class_number=finding)
        apart = max(
            float(np.abs(np.subtract(one.probabilities, other.probabilities)).max())
            for one, other in zip(said, meant, strict=True)
        )
        maps = max(
            float(np.abs(ours - theirs).max()) / max(float(theirs.max()), 1e-6)
            for one, other in zip(said, meant, strict=True)
            for ours, theirs in zip(one.heatmaps, other.heatmaps, strict=True)
        )
        words = f"{word}: probabilities within {apart:.1e} (limit {limit:.0e}), heatmaps within {maps:.1e}"
        if apart <= limit and (word != "float32" or maps <= EXACT_HEATMAP):
            yield ModelCheck(f"{name}, {word}", PASSED, words)
        elif word == "bfloat16":
            words += "; the engine computes this model in single precision on CPUs"
            yield ModelCheck(f"{name}, {word}", NOTED, words)
        else:
            yield ModelCheck(f"{name}, {word}", FAILED, words)


def _places_apart(name: str, network: RunningModel, graphs: dict[str, GraphModel]) -> Iterator[ModelCheck]:
    """Of a localiser, which is computed in single precision only."""
    images = [views[0] for views in check_views(network.card.input)]
    pairs = [(graphs["float32"].score(image), network.score(image)) for image in images]
    apart = max(float(np.abs(ours - theirs).max()) for ours, theirs in pairs)
    is_close = apart <= EXACT_HEATMAP
    yield ModelCheck(f"{name}, float32", PASSED if is_close else FAILED, f"float32: logits within {apart:.1e}")


def _takes_quick(network: RunningModel, graph: GraphModel) -> bool:
    """Whether the engine would take the quick precision: see `quick_precision`."""
    from app.engine.quick_precision import difference

    return difference(graph, network) <= CLOSE


def _failed(name: str, error: UserError) -> ModelCheck:
    return ModelCheck(name, FAILED, " ".join(part for part in (error.title, error.reason) if part))

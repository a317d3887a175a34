"""An exported network beside its weights: `graph.zip`, which OpenVINO runs on CPUs without torch.

The graph holds no weights. Its constants point into `weights.safetensors`, so that nothing is stored twice, and a graph
computes with exactly the weights whose SHA-256 it names. Only small tables that are no weights (places, masks) are
inside. A graph that names other weights is refused.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from app.core.errors import UserError
from app.core.model_card import ModelCard
from app.store.model_folder import GRAPH, Bytes, read_graph_file, read_weights

FACTS, NETWORK, TABLES = "graph.json", "graph.xml", "tables.bin"
FORMAT = 1
ALIGNMENT = 64  # bytes
LARGEST = 64 << 20  # bytes of one member, unpacked


class GraphFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a graph is.

    Args:
        weights_sha256: the only weights it belongs to.
        architecture: of the network.
        views: number of inputs.
        has_gradient: whether the gradient of every logit with respect to the averaged maps is an output; without it the
            graph gives maps only (a localiser).
        has_activation_map: whether class activation maps are defined (paper 004).
        made_with: version of OpenVINO.
        format: `FORMAT`.
    """

    weights_sha256: str
    architecture: str
    views: int
    has_gradient: bool
    has_activation_map: bool
    made_with: str
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph with its weights, ready to be compiled.

    Args:
        facts: what it is.
        network: OpenVINO's description.
        content: the bytes that its constants lie in: the whole weights file, then the tables.
    """

    facts: GraphFacts
    network: bytes
    content: Bytes


def tables_begin(weights_bytes: int) -> int:
    """Where the tables lie behind a weights file of this size."""
    return -(-weights_bytes // ALIGNMENT) * ALIGNMENT


def has_graph(folder: Path) -> bool:
    """Whether a model has a graph; says nothing about whether it fits."""
    return (folder / GRAPH).is_file()


def write_graph(folder: Path, facts: GraphFacts, network: bytes, tables: bytes) -> None:
    """Put a graph beside its weights, whole or not at all."""
    draft = folder / f".{GRAPH}.new"
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in ((FACTS, msgspec.json.encode(facts)), (NETWORK, network), (TABLES, tables)):
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, 9)
    draft.replace(folder / GRAPH)


def read_graph(folder: Path, card: ModelCard) -> Graph:
    """The graph of a model.

    Raises:
        UserError: `bad-graph`: it cannot be read; `other-graph`: it belongs to other weights, or it is not the one
            that the card names; or the weights are missing or not those of the card.
    """
    file = read_graph_file(folder, card)
    if file is None:
        raise _bad_graph("It is missing.")
    try:
        with zipfile.ZipFile(io.BytesIO(file)) as archive:
            facts = msgspec.json.decode(_member(archive, FACTS), type=GraphFacts)
            if facts.format != FORMAT:
                raise _bad_graph("Another version of Coxa has made it.")
            if facts.weights_sha256 != card.weights_sha256 or facts.architecture != card.architecture:
                raise UserError(
                    "The graph of this model belongs to other weights.",
                    reason="It would not say what the weights of the card say.",
                    remedy=f"Remove {GRAPH}, or export the graph again.",
                    kind="other-graph",
                )
            network, tables = _member(archive, NETWORK), _member(archive, TABLES)
    except (OSError, zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise _bad_graph(f"It cannot be read ({type(error).__name__}).") from error
    weights = read_weights(folder, card)
    begin = tables_begin(len(weights))
    content = np.zeros(begin + len(tables), np.uint8)
    content[: len(weights)] = weights
    content[begin:] = np.frombuffer(tables, np.uint8)
    return Graph(facts, network, content)


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        facts = archive.getinfo(name)
    except KeyError as error:
        raise _bad_graph(f"{name} is missing in it.") from error
    if facts.file_size > LARGEST:
        raise _bad_graph(f"{name} is far too large.")
    return archive.read(facts)


def _bad_graph(reason: str) -> UserError:
    return UserError(
        "The graph of this model cannot be used.",
        reason=reason,
        remedy=f"Remove {GRAPH}, or export the graph again.",
        kind="bad-graph",
    )

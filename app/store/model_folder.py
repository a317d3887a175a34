"""A model on disk: a folder with `card.toml`, `weights.safetensors` and often `graph.zip` (ADR 0181).

Knows no database; the engine uses it too.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import tomlkit

from app.core.errors import UserError
from app.core.model_card import ModelCard

CARD, WEIGHTS, GRAPH = "card.toml", "weights.safetensors", "graph.zip"  # the graph is optional
PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
LARGEST_CARD = 1 << 20  # bytes
LARGEST_GRAPH = 64 << 20  # bytes
LARGEST_HEADER = 100 << 20  # bytes; the format's own limit
RESTORE = "Put the original file back or import the model again; one that Coxa ships with comes back with its set-up."
Bytes = npt.NDArray[np.uint8]
HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def read_card(folder: Path) -> ModelCard:
    """The card of a model.

    Raises:
        UserError: `no-model` or `bad-card`.
    """
    try:
        if (folder / CARD).stat().st_size > LARGEST_CARD:
            raise _bad_card("The file is far too large for a card.")
        words = (folder / CARD).read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(
            "There is no model in this folder.",
            reason=f"Its {CARD} cannot be read ({error.strerror}).",
            remedy="Choose the folder of a model.",
            kind="no-model",
        ) from error
    except UnicodeDecodeError as error:
        raise _bad_card("It is not text.") from error
    if HIDDEN.search(words):
        raise _bad_card("It holds characters that hide, or that turn the direction of text.")
    try:
        return msgspec.convert(tomllib.loads(words), ModelCard)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, ValueError) as error:
        raise _bad_card(f"It is damaged, or of another version of Coxa: {error}.") from error


def write_card(folder: Path, card: ModelCard) -> None:
    """Write a model's card; what is None is left out."""
    (folder / CARD).write_text(tomlkit.dumps(_without_none(msgspec.to_builtins(card))), encoding="utf-8")


def weights_sha256(path: Path) -> str:
    """SHA-256 of a weights file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verified_weights(folder: Path, card: ModelCard) -> Path:
    """The weights of a model, after it was made sure that they are those of its card.

    Raises:
        UserError: `no-weights`, `other-weights` or `not-safetensors`.
    """
    path = folder / WEIGHTS
    with _readable_weights():
        require_safetensors(path)
        digest = weights_sha256(path)
    _require_weights(digest, card)
    return path


def read_weights(folder: Path, card: ModelCard) -> Bytes:
    """The bytes of a model's weights, read once: what was checked is what is computed with, whoever writes meanwhile.

    Raises:
        UserError: as of `verified_weights`.
    """
    path = folder / WEIGHTS
    with _readable_weights():
        require_safetensors(path)
        content = read_bytes(path)
    _require_weights(hashlib.sha256(content.data).hexdigest(), card)
    return content


@contextmanager
def _readable_weights() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(
            "The weights of this model are missing.",
            reason=f"{WEIGHTS} cannot be read ({error.strerror or error}).",
            remedy=RESTORE,
            kind="no-weights",
        ) from error


def _require_weights(digest: str, card: ModelCard) -> None:
    if digest != card.weights_sha256:
        raise UserError(
            "The weights of this model are not those that its card describes.",
            reason="The file was exchanged or damaged: its SHA-256 differs, so none of the card's figures is about it.",
            remedy=RESTORE,
            kind="other-weights",
        )


def verified_graph(folder: Path, card: ModelCard) -> Path | None:
    """The graph of a model, after it was made sure that it is that of its card; None where there is none.

    Cards that are older than the entry do not name one; the graph itself names the weights that it belongs to.

    Raises:
        UserError: `bad-graph` or `other-graph`.
    """
    return None if read_graph_file(folder, card) is None else folder / GRAPH


def read_graph_file(folder: Path, card: ModelCard) -> bytes | None:
    """The bytes of a model's graph, read once and checked; None where there is none.

    Raises:
        UserError: as of `verified_graph`.
    """
    path = folder / GRAPH
    try:
        if path.stat().st_size > LARGEST_GRAPH:
            raise OSError("it is far too large")
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(
            "The graph of this model cannot be used.",
            reason=f"It cannot be read ({error.strerror or error}).",
            remedy=f"Remove {GRAPH}, or export the graph again.",
            kind="bad-graph",
        ) from error
    if card.graph_sha256 is not None and hashlib.sha256(content).hexdigest() != card.graph_sha256:
        raise UserError(
            "The graph of this model is not the one that its card describes.",
            reason="It was exchanged or damaged: its SHA-256 differs, so nobody has compared it with the weights.",
            remedy=f"Put the original file back, or remove {GRAPH}: the model runs with PyTorch then.",
            kind="other-graph",
        )
    return content


def read_bytes(path: Path) -> Bytes:
    """A whole file.

    Raises:
        OSError: it cannot be read.
    """
    return np.fromfile(path, np.uint8)


def import_model(source: Path, models: Path) -> ModelCard:
    """Copy a received model into a folder of models; one that is there already, and damaged, is mended.

    A weights file is data: only safetensors is read, and a pickle is never opened, since opening one can run a program.

    Args:
        source: the folder that was received.
        models: where models live.

    Raises:
        UserError: anything is wrong with it, or `exists`: there is another model of this name.
    """
    card = read_card(source)
    if not PLAIN_NAME.fullmatch(card.id):
        raise _bad_card("Its id is not a plain name.")
    verified_weights(source, card)
    verified_graph(source, card)
    goal = models / card.id
    if goal.exists():
        if _is_same(goal, card):
            _mend(source, goal, card)
            return card
        raise UserError(
            "There is another model of this name.",
            reason=f"{card.id} is here already, with other weights or another card.",
            remedy="Give one of them another id on its card.",
            kind="exists",
        )
    draft = models / f".{card.id}.new"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    for name in (CARD, WEIGHTS, GRAPH):
        if name != GRAPH or (source / name).is_file():
            shutil.copyfile(source / name, draft / name)
    verified_weights(draft, card)
    verified_graph(draft, card)
    draft.rename(goal)
    return card


def _is_same(goal: Path, card: ModelCard) -> bool:
    """Whether a folder is that of this model; where its card cannot be read, its weights tell."""
    try:
        return read_card(goal) == card
    except UserError:
        path = goal / WEIGHTS
        return not path.is_file() or weights_sha256(path) == card.weights_sha256


def _mend(source: Path, goal: Path, card: ModelCard) -> None:
    """Put those files of a model back that are gone, exchanged or damaged; each whole or not at all."""
    for name in (WEIGHTS, GRAPH, CARD):
        if (source / name).is_file() and not _is_file_sound(goal, card, name):
            draft = goal / f".{name}.new"
            shutil.copyfile(source / name, draft)
            draft.replace(goal / name)
    verified_weights(goal, read_card(goal))


def _is_file_sound(goal: Path, card: ModelCard, name: str) -> bool:
    try:
        if name == CARD:
            return read_card(goal) == card
        if name == GRAPH:
            return verified_graph(goal, card) is not None
        verified_weights(goal, card)
    except UserError:
        return False
    return True


def require_safetensors(path: Path) -> None:
    """A safetensors file begins with the length of a JSON header that lies within the file.

    Raises:
        UserError: `not-safetensors`.
        OSError: it cannot be read.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(9)
    length = int.from_bytes(head[:8], "little")
    if len(head) < 9 or head[8:9] != b"{" or not 2 <= length <= min(size - 8, LARGEST_HEADER):
        raise UserError(
            "This is not a weights file that may be opened.",
            reason="Weights are read as safetensors only; other formats can run a program when they are opened.",
            remedy="Ask for the weights as a safetensors file.",
            kind="not-safetensors",
        )


def _bad_card(reason: str) -> UserError:
    return UserError("The card of this model cannot be used.", reason=reason, remedy=RESTORE,
                     kind="bad-card")  # fmt: skip


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(part) for key, part in value.items() if part is not None}
    if isinstance(value, list | tuple):
        return [_without_none(part) for part in value]
    return value

"""A Coxa export as something that can be merged, or opened as a project again: verified line by line first."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from app.core.case import Patient, Study
from app.core.errors import UserError
from app.core.event import NO_EVENT_HASH, Event, row_hash
from app.core.grey import StoredImage
from app.core.replay import replay
from app.store.audit import event_of_row
from app.store.database import Row
from app.store.exchange.interchange import EVENTS, FOLDER, FORMAT, MANIFEST, state_hash
from app.store.exchange.write import SUMS
from app.store.images import ImageStore
from app.store.merge.source import MergeSource, source_of
from app.store.patients import COLUMNS as PATIENT_COLUMNS
from app.store.schema import FACT_TABLES, TABLES
from app.store.sources import COLUMNS as SOURCE_COLUMNS
from app.store.sources import SourceRecord
from app.store.studies import COLUMNS as STUDY_COLUMNS
from app.store.views import ViewReader

CHUNK_BYTES = 1 << 20
HEXADECIMAL = ("row_hash", "previous_hash")
MAX_LINE_CHARACTERS = 64 << 20


def is_export(path: Path) -> bool:
    """Whether a folder is a data set of Coxa with the interchange in it."""
    try:
        return (path / FOLDER / MANIFEST).is_file()
    except OSError:
        return False


def export_name(path: Path) -> str:
    """The name of the project that an export was made from; empty when it cannot be read."""
    try:
        found = json.loads((path / FOLDER / MANIFEST).read_text(encoding="utf-8"))
        return str(found.get("project", ""))[:200]
    except (OSError, ValueError, AttributeError):
        return ""


@contextlib.contextmanager
def export_source(path: Path) -> Iterator[MergeSource]:
    """A Coxa export as a source. Every line and every image is compared with its hash; nothing in it is executed.

    Args:
        path: the folder of the data set.

    Raises:
        UserError: `merge-damaged`: something in it is not what was written; `newer-version`; `unreadable-folder`.
    """
    try:
        yield _read(path)
    except OSError as error:
        raise UserError(
            "The export cannot be read.",
            reason=f"The system says: {(error.strerror or type(error).__name__).lower()}.",
            remedy="Check the folder's rights and that all of it was copied.",
            kind="unreadable-folder",
        ) from error


def _read(path: Path) -> MergeSource:
    folder = path / FOLDER
    _verify_sums(path)
    manifest = _manifest(folder)
    events = [_event(row) for row in _rows(folder / EVENTS, "event")]
    facts = {table: list(_rows(folder / f"{table}.jsonl", table)) for table in FACT_TABLES}
    _verify_chain(events, manifest)
    if state_hash(replay(events)) != manifest.get("state_sha256"):
        raise damaged("What its events come to is not what its manifest says.")
    reader = ViewReader()
    headers = {row["id"]: row for row in facts["view"]}
    withheld = {str(name) for name in manifest.get("withheld", {})}
    images = ImageStore(folder / "images")

    def load_image(address: str) -> StoredImage:
        if not images.has(address):
            raise UserError(
                "An image is not in the export.",
                reason="It was made without images, or this one was withheld.",
                remedy="Merge it into a project that has the images, or export again with images.",
                kind="not-included",
            )
        return images.load(address)

    return source_of(
        events,
        patients=[Patient(**{name: row[name] for name in PATIENT_COLUMNS}) for row in facts["patient"]],
        studies=[Study(**{name: row[name] for name in STUDY_COLUMNS}) for row in facts["study"]],
        views=[reader.view(row) for row in facts["view"]],
        sources=[SourceRecord(**{name: row[name] for name in SOURCE_COLUMNS}) for row in facts["source"]],
        load_image=load_image,
        load_header=lambda view_id: (json.loads(headers[view_id]["header"]), int(headers[view_id]["pixel_offset"])),
        withheld=frozenset(row["image_sha256"] for row in facts["view"] if row["id"] in withheld),
    )


def _manifest(folder: Path) -> Mapping[str, Any]:
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except ValueError as error:
        raise damaged(f"{MANIFEST} is no JSON document.") from error
    version = found.get("format") if isinstance(found, dict) else None
    if not isinstance(version, int):
        raise damaged(f"{MANIFEST} holds no format number.")
    if version > FORMAT:
        raise UserError(
            "This export was made by a newer version of Coxa.",
            reason=f"It has format {version}; this version knows formats up to {FORMAT}.",
            remedy="Open it with the newer version.",
            kind="newer-version",
        )
    document: dict[str, Any] = found
    return document


def _verify_sums(path: Path) -> None:
    """Every file of the interchange is the one that was written; images are verified when they are loaded."""
    sums = path / SUMS
    if not sums.is_file():
        raise damaged(f"{SUMS} is missing.")
    listed: dict[str, str] = {}
    for line in sums.read_text(encoding="utf-8").splitlines():
        digest, _, name = line.partition("  ")
        parts = PurePosixPath(name).parts
        if parts[:1] == (FOLDER,) and parts[1:2] != ("images",):
            listed[name] = digest
    for wanted in (MANIFEST, EVENTS, *(f"{table}.jsonl" for table in FACT_TABLES)):
        name = f"{FOLDER}/{wanted}"
        if name not in listed or not (path / name).is_file():
            raise damaged(f"{name} is missing.")
        if _digest(path / name) != listed[name]:
            raise damaged(f"{name} is not the file that was written.")


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _rows(path: Path, table: str) -> Iterator[Row]:
    """The rows in a file, each compared with its hash."""
    names = set(TABLES[table])
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                row = json.loads(line) if len(line) <= MAX_LINE_CHARACTERS else None
                if not isinstance(row, dict) or row.keys() != names:
                    raise ValueError
                row |= {name: bytes.fromhex(row[name]) for name in HEXADECIMAL if name in row}
                is_intact = row_hash(table, row) == row["row_hash"]
            except (ValueError, TypeError) as error:
                raise damaged(f"Line {number} of {path.name} cannot be read.") from error
            if not is_intact:
                raise damaged(f"Line {number} of {path.name} was changed since it was written.")
            yield row


def _event(row: Row) -> Event:
    try:
        return event_of_row(row)
    except ValueError as error:
        raise damaged(f"Event {row['id']} cannot be read.") from error


def _verify_chain(events: list[Event], manifest: Mapping[str, Any]) -> None:
    """Events follow each other; where the export holds all of them, without a gap and up to the noted end."""
    last_id, last_hash = 0, NO_EVENT_HASH
    is_whole = bool(manifest.get("is_whole"))
    for event in events:
        is_next = event.id == last_id + 1
        if event.id <= last_id or (is_whole and not is_next) or (is_next and event.previous_hash != last_hash):
            raise damaged(f"Event {event.id} does not follow the one before it.")
        last_id, last_hash = event.id, event.row_hash
    head = manifest.get("head", {})
    if is_whole and (head.get("event"), head.get("hash")) != (last_id, last_hash.hex()):
        raise damaged("Events are missing at the end.")


def damaged(reason: str) -> UserError:
    """The sentence for an export that is not what was written."""
    return UserError(
        "The export was not read: it is not what was written.",
        reason=reason,
        remedy="Copy it again, or ask for another copy.",
        kind="merge-damaged",
    )

"""`coxa predict FRONTAL LATERAL`: one model looks at files that belong to no project; nothing of them is kept.

Files take the way of an import and of a project's cases: the same readers, grey levels, window, localiser, cuts and
engine, so that the same images give the same answer in either way.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from app.cli.engine_client import EngineClient, EngineEndedError
from app.cli.exit_codes import DONE
from app.cli.output import print_json
from app.cli.predict import VERDICTS
from app.cli.predict_run import LONGEST_PX, MARK
from app.cli.render import checked_output, write_png
from app.cli.view_files import Shown, impossible, notices_of, read_views
from app.core.case import Side, ViewRole
from app.core.case_jobs import HEATMAP_METHOD, OTHER_ANSWER
from app.core.counsel import UsableModel
from app.core.engine_messages import (
    EngineReply,
    EngineRequest,
    Failed,
    Hello,
    Locate,
    Located,
    Predict,
    Ready,
    Result,
    ViewInput,
    WholeView,
)
from app.core.errors import UserError
from app.core.finding import Gap, Verdict, finding_probability, verdict
from app.core.geometry import Alignment
from app.core.model_card import ModelCard
from app.core.model_input import InputKind, ViewGeometry, input_crop, input_key
from app.core.region import RegionBox, into_image, region_around
from app.store.exchange.drawn import Picture, display_picture, with_caption, with_heatmap
from app.store.images import ImageStore

GAP_PX = 8  # between the two pictures


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a model said.

    Args:
        given: what it was fed.
        located: confidence of the localiser for each view; None where the place was given or none is needed.
        result: its answer.
        heatmaps: (h, w) float32 for each view, units of the logit; none where none were asked for.
    """

    given: tuple[ViewInput, ...]
    located: tuple[float | None, ...]
    result: Result
    heatmaps: tuple[npt.NDArray[np.float32], ...]


def run_files(args: argparse.Namespace) -> int:
    """Ask one model about one or two files, and say what it answered.

    Raises:
        UserError: a file was refused, the model cannot be asked, or the engine cannot work.
    """
    model, localiser = _model(args)
    roles = _roles(model.card, args.files)
    output = None if args.output is None else checked_output(args.output, args.files[0])
    if output is not None:
        for file in args.files[1:]:
            checked_output(args.output, file)
    with tempfile.TemporaryDirectory(prefix="coxa-") as folder:
        scratch = Path(folder)
        views = read_views(args.files, roles, ImageStore(scratch / "images"), scratch)
        views = [view for view in views if view.role in model.card.input.roles]
        for view in views:
            for text in notices_of(view):
                print(f"note: {view.role}: {text}", file=sys.stderr)
        answer = _asked(model, localiser, views, args, scratch)
        if output is not None:
            write_png(output, np.ascontiguousarray(_picture(model.card, views, answer)[..., ::-1]))
    if args.json:
        print_json(_document(model.card, views, answer, args))
    else:
        print("\n".join(_lines(model.card, views, answer)))
        if output is not None:
            what = f"heatmap of {model.card.classes[model.card.finding]}, {HEATMAP_METHOD}"
            print(f"{output}: {'no heatmap' if _is_outside(model.card, answer) else what}")
        print("An opinion of a model for research. Not for diagnosis.")
    return DONE


def _model(args: argparse.Namespace) -> tuple[UsableModel, UsableModel | None]:
    """The one model to ask, and the localiser.

    Raises:
        UserError: none or several are named, or there is no such model.
    """
    from app.store.model_folder import read_card
    from app.store.models import Models
    from app.store.usable_models import LOCALISER

    entries = Models(None)
    if len(args.models) != 1:
        names = ", ".join(entry.id for entry in entries.all() if entry.card.architecture != LOCALISER)
        raise UserError(
            "Say which model is to look at the files.",
            reason=f"One --model is needed. Coxa ships with: {names or 'none'}.",
            remedy="Give --model and one of these names, or the folder of a model.",
            kind="usage",
        )
    path = Path(args.models[0])
    if (path / "card.toml").is_file():
        chosen = UsableModel(folder=str(path.absolute()), card=read_card(path))
    else:
        entry = entries.get(args.models[0])
        chosen = UsableModel(folder=str(entry.folder), card=entry.card)
    if chosen.card.architecture == LOCALISER:
        raise UserError("This model finds the hip; it gives no opinion.", remedy="Name another model.", kind="usage")
    found = [entry for entry in entries.all() if entry.card.architecture == LOCALISER]
    return chosen, UsableModel(folder=str(found[-1].folder), card=found[-1].card) if found else None


def _roles(card: ModelCard, files: Sequence[Path]) -> tuple[ViewRole, ...]:
    """Which view each file is: one file is the view of a model of one view; of two the first is the frontal one.

    Raises:
        UserError: `usage`: too few or too many.
    """
    wanted = card.input.roles
    if len(files) == 1 and len(wanted) == 1:
        return wanted
    if len(files) == 2:
        return ViewRole.FRONTAL, ViewRole.LATERAL
    given = "1 file was" if len(files) == 1 else f"{len(files)} files were"
    raise UserError(
        f"{card.id} looks at {' and '.join(wanted)}; {given} given.",
        remedy="Give the frontal view first, then the lateral one.",
        kind="usage",
    )


def _side(views: Sequence[Shown], asked: str | None) -> Side | None:
    """The side that was given, else the one that the headers agree on; None when open."""
    if asked:
        return Side(asked)
    said = {view.side for view in views} & {Side.LEFT, Side.RIGHT}
    return said.pop() if len(said) == 1 else None


def _asked(
    model: UsableModel, localiser: UsableModel | None, views: Sequence[Shown], args: argparse.Namespace, scratch: Path
) -> Answer:
    wanted, side = model.card.input, _side(views, args.side)
    if wanted.is_right_mirrored and side is None:
        raise UserError(
            f"{model.card.id} cannot be asked: nobody has said which hip it is.",
            reason="It knows left hips and is shown right ones mirrored; the files do not say which this one is.",
            remedy="Add --side left or --side right.",
            kind="side-open",
        )
    regions = _given(args.region, views, "--region", wanted.kind is InputKind.REGION_CROP)
    clicks = _given(args.align, views, "--align", wanted.kind is InputKind.ALIGNED_CROP)
    hello = Hello(device=args.device, precision=args.precision, threads=args.threads, is_compiled=args.compile)
    given: list[ViewInput] = []
    located: list[float | None] = []
    with EngineClient(hello) as client:
        _reply(client, Ready)
        for number, view in enumerate(views):
            region = alignment = confidence = None
            if wanted.kind is InputKind.REGION_CROP:
                if regions:
                    region = _region(regions[number], view)
                else:
                    region, confidence = _located(client, localiser, view, side, scratch, number)
            elif wanted.kind is InputKind.ALIGNED_CROP:
                if not clicks:
                    raise impossible(Gap.NEEDS_CLICKS, view.role, "Give them with --align X,Y,X,Y.")
                alignment = _alignment(clicks[number])
            geometry = ViewGeometry(
                rows=view.read.rows, cols=view.read.cols, spacing=view.spacing, side=side, alignment=alignment,
                region=region,
            )  # fmt: skip
            cut = input_crop(wanted, geometry)
            assert cut is not None, "what the crop needs is there"
            given.append(ViewInput(image_sha256=view.address, grey=view.read.grey, voi=view.window, cut=cut))
            located.append(confidence)
        request = Predict(
            job=len(views), model=model.folder, images=str(scratch / "images"), views=tuple(given),
            heatmap_method=HEATMAP_METHOD if args.output is not None else "", heatmap_class=model.card.finding,
            heatmaps=str(scratch), model_key=model.card.answer_key,
        )  # fmt: skip
        result = _reply(client, Result, request)
        assert isinstance(result, Result)
        heatmaps = tuple(np.load(name, allow_pickle=False) for name in result.heatmaps)
    key = input_key(wanted, tuple((view.pixels_key, view.cut) for view in given))
    if (result.weights_sha256, result.input_key) != (model.card.weights_sha256, key):
        raise UserError(OTHER_ANSWER, kind="other-answer")
    return Answer(given=tuple(given), located=tuple(located), result=result, heatmaps=heatmaps)


def _reply(client: EngineClient, kind: type[EngineReply], *requests: EngineRequest) -> EngineReply:
    """The next reply of this kind.

    Raises:
        UserError: the engine failed, or ended.
    """
    client.send(*requests)
    try:
        while not isinstance(reply := client.reply(), kind):
            if isinstance(reply, Failed):
                raise UserError(reply.title, reason=reply.reason, remedy=reply.remedy, kind=reply.kind)
    except EngineEndedError:
        said = " / ".join(list(client.noise)[-3:])
        raise UserError(
            "The AI engine has ended.",
            reason=f"Its last words: {said}" if said else "It did not say why.",
            remedy="Check the memory of this machine, then try again.",
            kind="engine-ended",
        ) from None
    return reply


def _located(
    client: EngineClient, localiser: UsableModel | None, view: Shown, side: Side | None, scratch: Path, job: int
) -> tuple[RegionBox, float]:
    """The region that the localiser proposes, and how sure it is."""
    if localiser is None:
        raise impossible(Gap.NEEDS_REGION, view.role, "Give it with --region X,Y,WIDTH,HEIGHT.")
    whole = WholeView(
        image_sha256=view.address, grey=view.read.grey, voi=view.window, rows=view.read.rows, cols=view.read.cols,
        spacing=view.spacing, side=side,
    )  # fmt: skip
    request = Locate(
        job=job, model=localiser.folder, images=str(scratch / "images"), view=whole,
        model_key=localiser.card.answer_key,
    )  # fmt: skip
    reply = _reply(client, Located, request)
    assert isinstance(reply, Located)
    box = region_around(reply.center_xy, view.spacing, rows=view.read.rows, cols=view.read.cols)
    return box, reply.confidence


def _given(
    words: Sequence[str], views: Sequence[Shown], option: str, is_wanted: bool
) -> list[tuple[float, float, float, float]]:
    """Four numbers for each view, or nothing.

    Raises:
        UserError: `usage`.
    """
    if words and not is_wanted:
        raise UserError(f"This model does not use {option}.", kind="usage")
    if words and len(words) != len(views):
        raise UserError(
            f"{option} was given {len(words)} times for {len(views)} views.",
            remedy="Give it once for each view that the model looks at, in their order.",
            kind="usage",
        )
    found = []
    for text in words:
        try:
            a, b, c, d = (float(part) for part in text.split(","))
        except ValueError:
            raise UserError(f"{option} takes four numbers, for example 310,220,400,600.", kind="usage") from None
        found.append((a, b, c, d))
    return found


def _region(numbers: tuple[float, float, float, float], view: Shown) -> RegionBox:
    left, top, width, height = numbers
    try:
        box = RegionBox(left=left, top=top, right=left + width, bottom=top + height)
        if not (0 <= box.center_xy[0] <= view.read.cols and 0 <= box.center_xy[1] <= view.read.rows):
            raise ValueError("its centre lies outside the image")
    except ValueError as error:
        raise UserError("This region cannot be used.", reason=f"{error}.".capitalize(), kind="usage") from None
    return into_image(box, rows=view.read.rows, cols=view.read.cols)


def _alignment(numbers: tuple[float, float, float, float]) -> Alignment:
    x, y, axis_x, axis_y = numbers
    try:
        return Alignment(center_xy=(x, y), axis_xy=(axis_x, axis_y))
    except ValueError as error:
        raise UserError("These two points cannot be used.", reason=f"{error}.".capitalize(), kind="usage") from None


def _lines(card: ModelCard, views: Sequence[Shown], answer: Answer) -> list[str]:
    """The answer as text."""
    chances = answer.result.probabilities
    names = card.classes
    lines = [f"{card.id}: {card.task}"]
    if _is_outside(card, answer):
        lines.append(f"  {names[card.finding]}: {_verdict(card, answer)}")
    else:
        lines += [f"  {name:<24} {100 * chance:5.1f} %" for name, chance in zip(names, chances, strict=True)]
        lines.append(f"  threshold {100 * card.threshold:.1f} % for {names[card.finding]}: {_verdict(card, answer)}")
    lines.append(f"  {_distance(card, answer)}")
    for view, sure in zip(views, answer.located, strict=True):
        if sure is not None:
            lines.append(f"  {view.role}: hip located automatically, confidence {100 * sure:.0f} %")
    return lines


def _is_outside(card: ModelCard, answer: Answer) -> bool:
    return verdict(card, answer.result.probabilities, answer.result.distance) is Verdict.OUTSIDE


def _verdict(card: ModelCard, answer: Answer) -> str:
    return VERDICTS[verdict(card, answer.result.probabilities, answer.result.distance)]


def _distance(card: ModelCard, answer: Answer) -> str:
    if answer.result.distance is None:
        return "distance from the training cases: not known to this model"
    limit = "no limit known" if card.outlier_limit is None else f"limit {card.outlier_limit:.3f}"
    return f"distance from the training cases {answer.result.distance:.3f} ({limit})"


def _document(card: ModelCard, views: Sequence[Shown], answer: Answer, args: argparse.Namespace) -> dict[str, Any]:
    """The answer for programs."""
    side = _side(views, args.side)
    return {
        "model": card.id,
        "weights_sha256": card.weights_sha256,
        "input_key": answer.result.input_key,
        "probabilities": dict(zip(card.classes, answer.result.probabilities, strict=True)),
        "finding": card.classes[card.finding],
        "threshold": card.threshold,
        "verdict": str(verdict(card, answer.result.probabilities, answer.result.distance)),
        "distance": answer.result.distance,
        "distance_limit": card.outlier_limit,
        "side": None if side is None else side.value,
        "views": [
            {
                "role": str(view.role), "rows": view.read.rows, "cols": view.read.cols, "matrix": given.cut.matrix,
                "located_confidence": sure, "flags": sorted(view.read.flags), "notices": notices_of(view),
            }
            for view, given, sure in zip(views, answer.given, answer.located, strict=True)
        ],
        "output": None if args.output is None else str(args.output),
        "mark": MARK,
    }  # fmt: skip


def _picture(card: ModelCard, views: Sequence[Shown], answer: Answer) -> Picture:
    """The views with their heatmaps, side by side and as high as each other, with words and the mark below."""
    laid = []
    for view, given, heatmap in zip(views, answer.given, answer.heatmaps, strict=True):
        plain, scale = display_picture(view.image, given.grey, given.voi, longest_px=LONGEST_PX)
        is_shown = not _is_outside(card, answer)
        painted = with_heatmap(plain, scale, heatmap, given.cut, full=card.heatmap_scale)
        laid.append(painted if is_shown else np.repeat(plain[..., None], 3, axis=2))
    rows = max(picture.shape[0] for picture in laid)
    parts: list[Picture] = []
    for picture in laid:
        size = (max(1, round(picture.shape[1] * rows / picture.shape[0])), rows)
        is_even = picture.shape[0] == rows
        even = picture if is_even else np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        parts += [np.zeros((rows, GAP_PX, 3), np.uint8), even] if parts else [even]
    share = 100 * finding_probability(card, answer.result.probabilities)
    what = card.classes[card.finding]
    shown = " and ".join(str(view.role) for view in views)
    words = [
        f"{card.id}: {what} {share:.0f} % (threshold {100 * card.threshold:.0f} %), {_verdict(card, answer)}",
        f"{shown}; heatmap of {what}, {HEATMAP_METHOD}; full colour = {card.heatmap_scale:g} logits",
    ]
    if _is_outside(card, answer):
        words = [f"{card.id}: {what}, {_verdict(card, answer)}", f"{shown}; no heatmap"]
    return with_caption(np.hstack(parts), words, MARK)

"""`coxa drr`: make pairs of radiographs from a CT."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli.exit_codes import DONE
from app.cli.output import add_json_argument, print_json, progress
from app.cli.series_folder import SeriesFolder
from app.core.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.core.case import Side
    from app.engine.drr.pairs import PreparedCt, ReconstructedView

STAMP = "pairs.json"

EPILOG = """\
examples:
  coxa drr pelvis.nii.gz -o ~/drr --hip left               one frontal and one cross-table view
  coxa drr ~/ct-series -o ~/drr-garden --hip right --pairs 130 --vary garden
                                                           size, kV, dose, distance, rotation, tilt (paper 002)
  coxa drr ct.nrrd -o ~/drr-two-views --hip left --pairs 50 --vary multiview --correspondence 16
                                                           two views from anywhere, with their matrix (paper 003)
  coxa drr ct.nrrd -o ~/drr-point --hip=83,-140,139        centre of the femoral head: x to the left, y to the
                                                           back, z to the head, mm; below zero: --hip=-83,…

A CT is a file (NIfTI, NRRD, MetaImage) or a folder with a DICOM series, in Hounsfield units. The table and
everything that does not touch the body are left out. The same CT, hip and seed give the same bytes; a run that was
interrupted is resumed. The images are computed, not exposed: research use only."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Set the arguments of `coxa drr`."""
    parser.add_argument("ct", type=Path, metavar="CT", help="CT file, or a folder with a DICOM series")
    parser.add_argument(
        "-o", "--out", type=Path, metavar="DIR", required=True, help="folder to write to, or to go on in"
    )
    parser.add_argument(
        "--hip", required=True, metavar="SIDE|X,Y,Z", help="left, right, or the femoral head's centre, mm"
    )
    parser.add_argument("--pairs", type=int, metavar="N", default=1, help="number of pairs, 1 to 100,000 (default: 1)")
    parser.add_argument("--vary", choices=("none", "garden", "multiview"), default="none",
                        help="what varies from pair to pair: see the examples (default: none)")  # fmt: skip
    parser.add_argument("--seed", type=int, metavar="S", default=0, help="seed of the variations (default: 0)")
    parser.add_argument(
        "--size", type=int, metavar="PX", default=512, help="height and width, 128 to 4096 px (default: 512)"
    )
    parser.add_argument(
        "--correspondence", type=int, metavar="G", help="also write the matrix of G × G patches, 2 to 64"
    )
    add_json_argument(parser)
    parser.epilog = EPILOG


def run(args: argparse.Namespace) -> int:
    """Make pairs from a CT."""
    from app.engine.drr.pairs import prepare
    from app.engine.drr.volume import read_ct
    from app.engine.radiograph.attenuation import AttenuationTable

    _check_numbers(args)
    side, centre = parse_hip(args.hip)
    folder: Path = args.out.absolute()
    place = SeriesFolder(path=folder, stamp=STAMP, what="radiographs from a CT")
    place.check()  # before the CT is read, which takes a while
    table = AttenuationTable.load()
    ct = prepare(read_ct(args.ct.absolute()), side=side, hip_mm=centre, table=table)
    place.open(_series(ct, args))
    with place.alone(partial=".pair-*.partial"):
        missing = [number for number in range(args.pairs) if not _pair_folder(folder, number).exists()]
        for number in progress(missing, total=len(missing), text="Reconstructing", unit="pair"):
            _write_pair(folder, ct, args, number, table)
    document = {
        "pairs": args.pairs,
        "made": len(missing),
        "hip_mm": [round(float(value), 1) for value in ct.hip_mm],
        "side": ct.side.value,
        "notices": list(ct.notices),
    }
    if args.json:
        print_json(document)
    else:
        noun = "pair" if args.pairs == 1 else "pairs"
        print(f"{args.pairs} {noun} of the {ct.side.value} hip ({len(missing)} made now): {folder}")
        for notice in ct.notices:
            print(notice)
    return DONE


def parse_hip(text: str) -> tuple[Side, NDArray[np.float64] | None]:
    """`left`, `right` or `x,y,z`; patient coordinates are positive to the left of the scanner's zero.

    Raises:
        UserError: it is none of these.
    """
    import numpy as np

    from app.core.case import Side

    if text in (Side.LEFT.value, Side.RIGHT.value):
        return Side(text), None
    side_text, _, numbers = text.rpartition(":")
    try:
        centre = np.array([float(part) for part in numbers.split(",")])
        side = Side(side_text) if side_text else (Side.LEFT if centre[0] > 0 else Side.RIGHT)
    except ValueError:
        centre, side = np.zeros(0), Side.BOTH
    if centre.shape != (3,) or not np.isfinite(centre).all() or side is Side.BOTH:
        raise UserError(
            "The hip was not understood.",
            reason=f"{text!r} is neither a side nor a point.",
            remedy="Write --hip left, --hip right, --hip x,y,z or --hip left:x,y,z (mm).",
            kind="bad-hip",
        )
    return side, centre


def _check_numbers(args: argparse.Namespace) -> None:
    patches = args.correspondence
    fits = patches is None or (2 <= patches <= 64 and args.size % patches == 0)
    if not (1 <= args.pairs <= 100_000 and 128 <= args.size <= 4096 and args.seed >= 0 and fits):
        raise UserError(
            "These numbers cannot be used.",
            reason="1 to 100000 pairs of 128 to 4096 px, and a seed of 0 or more; the size must divide into 2 to 64 "
            "patches a side.",
            remedy="Change --pairs, --size, --seed or --correspondence.",
            kind="bad-number",
        )


def _series(ct: PreparedCt, args: argparse.Namespace) -> dict[str, Any]:
    """What pairs follow from, apart from their number."""
    from app.engine.drr.pairs import GENERATOR

    return {
        "generator": GENERATOR,
        "ct_sha256": ct.digest,
        "hip_mm": ct.hip_mm.tolist(),
        "side": ct.side.value,
        "seed": args.seed,
        "vary": args.vary,
        "size_px": args.size,
        "correspondence": args.correspondence,
    }


def _pair_folder(folder: Path, number: int) -> Path:
    """Where a pair lies, 0-based number; what has this name is whole."""
    return folder / f"pair-{number:06d}"


def _write_pair(folder: Path, ct: PreparedCt, args: argparse.Namespace, number: int, table: Any) -> None:
    import numpy as np

    from app.engine.drr.pairs import pair_values, reconstruct
    from app.engine.drr.variation import Variation
    from app.engine.synthesis.study import geometry_values

    final = _pair_folder(folder, number)
    partial = folder / f".{final.name}.{os.getpid()}.partial"
    partial.mkdir()
    pair, views = reconstruct(
        ct, seed=args.seed, number=number, variation=Variation(args.vary), size_px=args.size, table=table
    )
    truth = []
    for position, view in enumerate(views, start=1):
        name = f"{position}-{view.projection.value}"
        (partial / f"{name}.dcm").write_bytes(
            _dicom(ct, view, f"{args.seed}/{number}/{args.vary}/{args.size}", position)
        )
        truth.append(
            {
                "file": name,
                "projection": view.projection.value,
                "head_centre": list(view.hip_xy),
                "geometry": geometry_values(view.geometry),
                "field": view.picture.field.tolist(),
                "bits_stored": view.picture.bits_stored,
            }
        )
    if args.correspondence is not None:
        matrix = _matrix(ct, pair, args.size // args.correspondence)
        np.savez_compressed(
            partial / "correspondence.npz",
            first=matrix.first.astype(np.int32),
            second=matrix.second.astype(np.int32),
            value=matrix.value,
            shape=np.array(matrix.shape),
        )
    document = {
        "synthetic": True,
        "ct_sha256": ct.digest,
        "side": ct.side.value,
        "hip_mm": ct.hip_mm.tolist(),
        "variation": args.vary,
        "parameters": pair_values(pair),
        "views": truth,
    }
    text = json.dumps(document, indent=1, sort_keys=True)
    (partial / "truth.json").write_text(text + "\n", encoding="utf-8")
    partial.replace(final)


def _matrix(ct: PreparedCt, pair: Any, patch_px: int) -> Any:
    from app.engine.correspondence import Correspondence, patch_geometry
    from app.engine.drr.pairs import coarse_tissue

    first, second = (patch_geometry(geometry, patch_px) for geometry in pair.geometries)
    return Correspondence(coarse_tissue(ct, pair)).sparse(first, second)


def _dicom(ct: PreparedCt, view: ReconstructedView, key: str, position: int) -> bytes:
    from app.engine.dicom_output import SyntheticObject, dicom_bytes

    short = hashlib.sha256(ct.digest.encode()).hexdigest()[:8].upper()
    return dicom_bytes(
        view.picture.pixels,
        SyntheticObject(
            study_key=f"drr/{ct.digest}/{ct.hip_mm.tolist()}/{key}",
            number=position,
            patient_id=f"DRR-{short}",
            date="20000103",
            projection=view.projection,
            side=ct.side,
            body_part="HIP",
            bits_stored=view.picture.bits_stored,
            pixel_mm=view.geometry.pixel_mm,
            magnification=view.geometry.magnification([0, 0, 0]),
            source_to_detector_mm=view.geometry.source_to_detector_mm,
            kvp=view.picture.technique.kvp,
        ),
    )

"""Reading a CT in a process of its own, and refusing what is not a CT of a hip in Hounsfield units."""

from __future__ import annotations

import gzip
import importlib
import json
import math
import multiprocessing
import os
import struct
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.core.errors import UserError

MOST_VOXELS = 60_000_000  # more are averaged down: 240 MB for each material
_MEMORY_BYTES = 12 << 30
_TIMEOUT_S = 300.0
_AIR_HU = -1000.0
_SPACING_MM = (0.1, 8.0)
_CUT_SHORT = "A part of the file is missing or damaged; copy it again from where it came from."
_UNEVEN_SHARE = 0.1  # of the distance of slices
_POSITION = "0020|0032"  # Image Position (Patient)
_COARSE_MM = 1.5  # coarser voxels are interpolated smoothly: their steps would show along the cortex


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CtVolume:
    """A CT on an axis-aligned grid: x to the patient's left, y to the back, z to the head.

    Args:
        hu: (Z, Y, X) float32, Hounsfield units.
        spacing_mm: (dz, dy, dx).
        origin_mm: (x, y, z) of the centre of voxel (0, 0, 0), DICOM patient coordinates.
    """

    hu: NDArray[np.float32]
    spacing_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float]


def read_ct(path: Path, *, timeout_s: float = _TIMEOUT_S, memory_bytes: int = _MEMORY_BYTES) -> CtVolume:
    """Read NIfTI, NRRD, MetaImage or a folder with a DICOM series. A foreign file cannot take this process with it.

    Args:
        path: a file, or a folder with a DICOM series (the longest one is taken).
        timeout_s: wall time.
        memory_bytes: address space of the reading process.

    Raises:
        UserError: it is not a CT volume that radiographs of a hip can be made from.
    """
    if not path.exists():
        raise UserError(
            "There is no such file.", reason="The CT was not found.", remedy="Check the path.", kind="not-found"
        )
    with tempfile.TemporaryDirectory(prefix="coxa-ct-") as name:
        folder = Path(name)
        context = multiprocessing.get_context("spawn")
        process = context.Process(target=_read_in_process, args=(path, folder, memory_bytes), daemon=True)
        process.start()
        process.join(timeout_s)
        if process.is_alive():
            process.kill()
            process.join()
            raise _unreadable("Reading it took too long.")
        answer = folder / "answer.json"
        if process.exitcode != 0 or not answer.exists():
            raise _unreadable("The program that reads it ended unexpectedly, perhaps for want of memory.")
        facts: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
        if "error" in facts:
            raise _unreadable(facts["error"])
        if "impossible_mm" in facts:
            size = " × ".join(f"{step:g}" for step in facts["impossible_mm"])
            raise UserError(
                "The voxels of this volume have an impossible size.",
                reason=f"They measure {size} mm (slice, row, column).",
                remedy="Export the CT again with its true spacing, slices at most 8 mm apart.",
                kind="bad-spacing",
            )
        hu = np.load(folder / "hu.npy")
    spacing, origin = facts["spacing_mm"], facts["origin_mm"]
    volume = CtVolume(
        hu=hu, spacing_mm=(spacing[0], spacing[1], spacing[2]), origin_mm=(origin[0], origin[1], origin[2])
    )
    check(volume)
    return volume


def check(volume: CtVolume) -> None:
    """Refuse what cannot be a CT of a hip.

    Raises:
        UserError: wrong units, or too small.
    """
    size_mm = [count * step for count, step in zip(volume.hu.shape, volume.spacing_mm, strict=True)]
    if min(size_mm) < 60:
        raise UserError(
            "This volume is too small for a hip.",
            reason=f"It measures {' × '.join(f'{size:.0f}' for size in size_mm)} mm.",
            remedy="Use a CT that holds the whole hip, 60 mm at the least in every direction.",
            kind="too-small",
        )
    low, high = float(volume.hu.min()), float(volume.hu.max())
    if not np.isfinite([low, high]).all() or low > -300 or high < 200 or low < -20000 or high > 70000:
        raise UserError(
            "This volume is not in Hounsfield units.",
            reason=f"Its values lie between {low:g} and {high:g}; in a CT air is about −1000 and bone above 200.",
            remedy="Export it with Rescale Slope and Intercept applied. MR and segmentations cannot be used.",
            kind="not-hounsfield",
        )


def _unreadable(reason: str) -> UserError:
    return UserError(
        "This CT cannot be read.",
        reason=reason,
        remedy="Use a NIfTI, NRRD or MetaImage file, or a folder with one DICOM CT series.",
        kind="not-a-ct",
    )


def _read_in_process(path: Path, folder: Path, memory_bytes: int) -> None:
    """What the reading process does: leaves hu.npy and answer.json in `folder`."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, ValueError, OSError):  # not on this system: the time limit remains
        pass
    if not os.environ.get("COXA_DEBUG"):  # libraries that read files complain there on their own
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    try:
        answer = _read(path, folder)
    except UserError as error:
        answer = {"error": error.reason}
    except MemoryError:
        answer = {"error": "It needs more memory than is allowed."}
    except OSError:
        answer = {"error": "It cannot be opened; look at its rights."}
    except (RuntimeError, ValueError):  # SimpleITK's own; its text may hold names and paths
        answer = {"error": "It is damaged or of a kind that cannot be read."}
    (folder / "answer.json").write_text(json.dumps(answer), encoding="utf-8")


def _read(path: Path, folder: Path) -> dict[str, Any]:
    sitk: Any = importlib.import_module("SimpleITK")  # slow to import, and without types
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(2)
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    if not path.is_dir():
        refuse_cut_short(path)
    image = _read_series(sitk, path) if path.is_dir() else sitk.ReadImage(str(path))
    if image.GetDimension() != 3 or min(image.GetSize()) < 8:
        raise UserError("", reason="It is not a volume with at least eight slices.")
    if image.GetNumberOfComponentsPerPixel() != 1:
        raise UserError("", reason="It has several values in a voxel.")
    image = sitk.DICOMOrient(sitk.Cast(image, sitk.sitkFloat32), "LPS")
    native = list(image.GetSpacing())[::-1]
    if not all(_SPACING_MM[0] <= step <= _SPACING_MM[1] for step in native):
        return {"impossible_mm": native}
    image = _on_upright_grid(sitk, image)
    np.save(folder / "hu.npy", sitk.GetArrayFromImage(image))
    dx, dy, dz = image.GetSpacing()
    return {"spacing_mm": [dz, dy, dx], "origin_mm": list(image.GetOrigin())}


def _read_series(sitk: Any, folder: Path) -> Any:
    reader = sitk.ImageSeriesReader()
    series = [reader.GetGDCMSeriesFileNames(str(folder), name) for name in reader.GetGDCMSeriesIDs(str(folder))]
    if not series:
        raise UserError("", reason="The folder holds no DICOM series.")
    names = max(series, key=len)
    reader.SetFileNames(names)
    reader.MetaDataDictionaryArrayUpdateOn()
    image = reader.Execute()
    if all(reader.HasMetaDataKey(index, _POSITION) for index in range(len(names))):
        texts = [reader.GetMetaData(index, _POSITION).split("\\") for index in range(len(names))]
        along = np.array(texts, dtype=float) @ np.array(image.GetDirection()).reshape(3, 3)[:, 2]
        gaps_mm = np.abs(np.diff(along))
        if len(gaps_mm) and np.ptp(gaps_mm) > _UNEVEN_SHARE * np.median(gaps_mm):
            raise UserError("", reason="Slices of the series are missing, or lie unevenly.")
    return image


def refuse_cut_short(path: Path) -> None:
    """Refuse a compressed or NIfTI file whose end is missing: SimpleITK takes zeros for it, which is water.

    Args:
        path: a file of any kind; other kinds are left to SimpleITK, which notices.

    Raises:
        UserError: something is missing.
        OSError: it cannot be read.
    """
    with path.open("rb") as raw:
        is_packed = raw.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(path) if is_packed else path.open("rb") as stream:
            header = stream.read(544)
            size = len(header)
            if is_packed:
                while part := stream.read(1 << 22):
                    size += len(part)
            else:
                size = path.stat().st_size
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise UserError("", reason=_CUT_SHORT) from None
    if size < nifti_bytes(header):
        raise UserError("", reason=_CUT_SHORT)


def nifti_bytes(header: bytes) -> int:
    """How many bytes a NIfTI file (version 1 or 2) has at the least by its first 544 bytes; 0 for other kinds."""
    for order in "<>":
        if header[344:347] == b"n+1" and header[:4] == struct.pack(f"{order}i", 348):
            counts, bits_at, start_at, kind = struct.unpack_from(f"{order}8h", header, 40), 72, 108, "f"
        elif header[4:7] == b"n+2" and header[:4] == struct.pack(f"{order}i", 540) and len(header) >= 176:
            counts, bits_at, start_at, kind = struct.unpack_from(f"{order}8q", header, 16), 14, 168, "q"
        else:
            continue
        (bits,) = struct.unpack_from(f"{order}h", header, bits_at)
        (start,) = struct.unpack_from(f"{order}{kind}", header, start_at)
        known = counts[1 : 1 + max(0, min(counts[0], 7))]
        voxels = math.prod(max(int(count), 1) for count in known)
        return (int(start) if math.isfinite(start) else 0) + voxels * int(bits) // 8
    return 0


def _on_upright_grid(sitk: Any, image: Any) -> Any:
    """Resample oblique volumes on an upright grid, coarse ones on a finer and very large ones on a coarser one."""
    count = float(np.prod(image.GetSize()))
    is_upright = np.allclose(np.array(image.GetDirection()).reshape(3, 3), np.eye(3), atol=1e-4)
    is_coarse = max(image.GetSpacing()) > 1.1 * _COARSE_MM
    if is_upright and count <= MOST_VOXELS and not is_coarse:
        return image
    size = np.array(image.GetSize())
    corners = np.array(
        [
            image.TransformContinuousIndexToPhysicalPoint([float(c * (n - 1)) for c, n in zip(pick, size, strict=True)])
            for pick in np.ndindex(2, 2, 2)
        ]
    )
    low, high = corners.min(axis=0), corners.max(axis=0)
    spacing = np.array(image.GetSpacing()) if is_upright else np.full(3, min(image.GetSpacing()))
    spacing = np.minimum(spacing, _COARSE_MM)
    grown = np.prod((high - low) / spacing + 1) / MOST_VOXELS
    spacing = spacing * max(1.0, grown ** (1 / 3))
    shape = [int(np.ceil(extent / step)) + 1 for extent, step in zip(high - low, spacing, strict=True)]
    if spacing[0] > 1.2 * min(image.GetSpacing()):
        image = sitk.SmoothingRecursiveGaussian(image, [0.4 * float(step) for step in spacing])
    kernel = sitk.sitkBSpline if is_coarse else sitk.sitkLinear
    if is_coarse:
        image = without_steps(sitk, image)
    return sitk.Resample(
        image, shape, sitk.Transform(), kernel, low.tolist(), spacing.tolist(),
        [1.0, 0, 0, 0, 1, 0, 0, 0, 1], _AIR_HU,
    )  # fmt: skip


def without_steps(sitk: Any, image: Any) -> Any:
    """Soften a volume along its coarse axes before it is interpolated.

    Thin cortex that runs aslant through coarse voxels is aliased: interpolated as it is, it shows a row of teeth. A
    Gaussian of 0.63 voxels (variance 0.4) takes more than half of what alternates from voxel to voxel, and keeps mass.
    """
    variance = [0.4 * step**2 if step > 1.1 * _COARSE_MM else 0.0 for step in image.GetSpacing()]
    return sitk.DiscreteGaussian(image, variance, 9, 0.01, True)

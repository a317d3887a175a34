"""Joseph projection of 256³ voxels to 1024²: ours against 3-D grid_sample Joseph and DiffDRR's Siddon, in one run.

    python -m bench.joseph [--size 1024] [--voxels 256]

torch and diffdrr are optional; without them only our own figures are printed. The error is that of a box and a sphere
with known line integrals. A box is softened by its voxels, so its error is split into what the voxels hold against the
box (exact integrals of their trilinear interpolation, no projector) and the projection against what the voxels hold.
"""

from __future__ import annotations

import argparse
import importlib.util
import resource
import time
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from app.engine.phantom.volume import Material, Part
from app.engine.projection.geometry import Geometry
from app.engine.projection.joseph import project_part
from tests.engine.projection.shapes import box_chords_cm, voxelised_box_chords_cm

SPHERE = ((5.0, -7.0, 9.0), 60.0)
BOX = ((-60.3, -50.2, -70.1), (55.4, 62.7, 64.9))


def best(work: Callable[[], object], rounds: int) -> float:
    work()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def bodies(count: int, step: float) -> dict[str, Part]:
    axis = (np.arange(count) - (count - 1) / 2) * step
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    (cx, cy, cz), radius = SPHERE
    distance = np.sqrt((x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2) - radius
    cover = [
        np.clip((np.minimum(axis + step / 2, b) - np.maximum(axis - step / 2, a)) / step, 0, 1)
        for a, b in zip(*BOX, strict=True)
    ]
    densities = {
        "sphere": np.clip(0.5 - distance / step, 0, 1),
        "box": cover[2][:, None, None] * cover[1][None, :, None] * cover[0][None, None, :],
    }
    first = float(axis[0])
    return {
        name: Part(
            name=name,
            material=Material.BONE,
            density=density.astype(np.float32),
            spacing_mm=(step,) * 3,
            origin_mm=(first,) * 3,
            pose=np.eye(4),
        )
        for name, density in densities.items()
    }


def truth(name: str, geometry: Geometry) -> NDArray[np.float64]:
    rays = geometry.pixel_centres() - geometry.source
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    if name == "sphere":
        offset = np.array(SPHERE[0]) - geometry.source
        along = rays @ offset
        return np.asarray(2 * np.sqrt(np.clip(SPHERE[1] ** 2 - (offset @ offset - along**2), 0, None)) / 10)
    return box_chords_cm(geometry, *BOX)


def split_box_error(part: Part, geometry: Geometry, count: int, step: float) -> None:
    """Print what the voxels do to a box and what the projector does to the voxels."""
    image = project_part(part, geometry, is_per_pixel=True).astype(np.float64)
    exact, held = box_chords_cm(geometry, *BOX), voxelised_box_chords_cm(geometry, count, step, *BOX)
    for text, error in (("voxels against the box", held - exact), ("projection against the voxels", image - held)):
        rms, most = np.sqrt((error**2).mean()) / exact.max(), np.abs(error).max() / exact.max()
        print(f"box, {text}: RMS {rms:.4%} of the maximum, largest {most:.4%}")


def grid_sample_joseph(part: Part, geometry: Geometry) -> Callable[[], object]:
    """Joseph by one 3-D grid_sample over all slices of a chunk of rays, as in public implementations."""
    import torch

    volume = torch.from_numpy(part.density)[None, None]
    spacing = torch.tensor(part.spacing_mm[::-1])
    origin = torch.tensor(part.origin_mm)
    pixels = torch.from_numpy(geometry.pixel_centres().reshape(-1, 3).astype(np.float32))
    source = (torch.from_numpy(geometry.source.astype(np.float32)) - origin) / spacing
    targets = (pixels - origin) / spacing
    counts = torch.tensor(part.density.shape[::-1])

    def work() -> object:
        sums = []
        for chunk in targets.split(16384):
            direction = chunk - source
            main = 1  # the beam runs along y
            index = torch.arange(int(counts[main]), dtype=torch.float32)
            t = (index[None] - source[main]) / direction[:, main, None]
            points = source + t[..., None] * direction[:, None]
            points[..., main] = index
            grid = 2 * points / (counts - 1) - 1
            values = torch.nn.functional.grid_sample(volume, grid[None, :, :, None], align_corners=True)[0, 0, :, :, 0]
            length = (direction * spacing).norm(dim=1) / direction[:, main].abs()
            sums.append(values.sum(1) * length / 10)
        return torch.cat(sums).reshape(geometry.rows, geometry.cols)

    return work


def diffdrr_siddon(part: Part, geometry: Geometry) -> Callable[[], object]:
    import torch
    from diffdrr.renderers import Siddon

    siddon = Siddon()
    volume = torch.from_numpy(part.density).permute(2, 1, 0).contiguous()
    spacing = torch.tensor(part.spacing_mm[::-1])
    origin = torch.tensor(part.origin_mm)

    def to_voxel(points: NDArray[np.float64]) -> torch.Tensor:
        return (torch.from_numpy(points.astype(np.float32)) - origin) / spacing

    target = to_voxel(geometry.pixel_centres().reshape(1, -1, 3))
    source = to_voxel(geometry.source.reshape(1, 1, 3)).expand_as(target[:, :1])
    pieces = target.split(8192, dim=1)  # the whole detector at once would need tens of gigabytes

    def work() -> object:
        return [siddon(volume, source, piece, (piece - source).norm(dim=-1)[:, None]) for piece in pieces]

    return work


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--voxels", type=int, default=256)
    args = parser.parse_args()
    step = 192 / args.voxels
    geometry = Geometry.aimed(
        aim=(0, 0, 0),
        beam=(0.07, 1, 0.12),
        right=(1, 0, 0),
        source_to_detector_mm=1100,
        aim_to_detector_mm=150,
        pixel_mm=280 / args.size,
        rows=args.size,
        cols=args.size,
    )
    parts = bodies(args.voxels, step)
    print(f"{args.voxels}³ voxels of {step:.2f} mm to {args.size}², OpenCV {cv2.__version__}")
    for name, part in parts.items():
        exact = truth(name, geometry)
        for label, per_pixel in (("default", False), ("per pixel", True)):
            image = project_part(part, geometry, is_per_pixel=per_pixel)
            rms = float(np.sqrt(((image - exact) ** 2).mean()) / exact.max())
            mass = float(image.sum(dtype=np.float64) / exact.sum() - 1)
            print(f"{name:7s} {label:10s} RMS error {rms:.3%} of the maximum, mass {mass:+.4%}")
    split_box_error(parts["box"], geometry, args.voxels, step)
    full = np.random.default_rng(0).random((args.voxels,) * 3).astype(np.float32)
    part = Part(
        name="full", material=Material.BONE, density=full, spacing_mm=(step,) * 3,
        origin_mm=parts["box"].origin_mm, pose=np.eye(4),
    )  # fmt: skip
    for threads in (1, 2):
        cv2.setNumThreads(threads)
        ours = best(lambda: project_part(part, geometry, is_per_pixel=True), 5)
        sphere = best(lambda: project_part(parts["sphere"], geometry, is_per_pixel=True), 5)
        print(
            f"ours, {threads} thread(s): {ours * 1e3:.0f} ms (every voxel filled), {sphere * 1e3:.0f} ms (the sphere)"
        )
    print(f"peak memory so far {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
    if importlib.util.find_spec("torch") is None:
        print("torch is not installed: no baselines")
        return
    import torch

    torch.set_num_threads(2)
    with torch.inference_mode():
        work = grid_sample_joseph(part, geometry)
        difference = np.abs(np.asarray(work()) - project_part(part, geometry, is_per_pixel=True)).max()
        seconds = best(work, 1)
        ratio = seconds / ours
        print(f"3-D grid_sample Joseph, 2 threads: {seconds:.2f} s, {ratio:.0f}× ours (differs by {difference:.1e})")
        if importlib.util.find_spec("diffdrr") is None:
            print("diffdrr is not installed")
            return
        start = time.perf_counter()
        diffdrr_siddon(part, geometry)()
        seconds = time.perf_counter() - start
        print(f"DiffDRR Siddon, 2 threads: {seconds:.1f} s, {seconds / ours:.0f}× ours")


if __name__ == "__main__":
    main()

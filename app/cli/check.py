"""`coxa check`: versions, device, and the health of a project."""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil

from app import __version__
from app.cli.exit_codes import DONE, PROBLEMS
from app.cli.output import add_json_argument, add_project_argument, print_json, progress
from app.store.database import LAST_VERSION_WITH_WAL_RESET_DEFECT
from app.store.health import HealthReport, State, check_project

PACKAGES = (
    "numpy", "opencv-python-headless", "pydicom", "pylibjpeg", "pylibjpeg-libjpeg", "pylibjpeg-openjpeg",
    "pylibjpeg-rle", "pyjpegls", "imagecodecs", "SimpleITK", "sqlite-utils", "msgspec", "filelock",
    "PySide6-Essentials", "pyqtgraph", "torch", "torchvision", "timm",
)  # fmt: skip
OPTIONAL_PACKAGES = frozenset({"torch", "torchvision", "timm"})
MAX_PROBLEMS_SHOWN = 20
MARKS = {State.FINE: "ok", State.NOTICE: "note", State.DAMAGED: "DAMAGED"}
GIB = 1 << 30

EPILOG = """\
examples:
  coxa check                                versions and device only
  coxa check --project ~/hips               is everything in this project still intact?
  coxa check --project ~/hips --full        … and every one of its backups
  coxa check --engine --window              also load PyTorch and Qt, and say what they find
  coxa check --project ~/hips --json        for programs

exit code 1 when something is missing or damaged; what to do is printed beside it.
Nothing is changed. May run while the project is open in the window."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Set the arguments of `coxa check`."""
    add_project_argument(parser, is_required=False)
    add_json_argument(parser)
    parser.add_argument("--full", action="store_true", help="audit every backup too, not only the newest")
    parser.add_argument("--engine", action="store_true", help="load PyTorch and say which device it finds")
    parser.add_argument("--window", action="store_true", help="load Qt and say whether it can open a window")
    parser.epilog = EPILOG


def run(args: argparse.Namespace) -> int:
    """Check, print, and return the exit code."""
    report: dict[str, Any] = {
        "coxa": __version__,
        "versions": versions(),
        "device": device(),
        "problems": missing_packages(),
    }
    if args.engine:
        report["engine"] = engine()
    if args.window:
        report["window"] = window()
    health: HealthReport | None = None
    if args.project is not None:
        health = check_project(args.project, is_full=args.full, progress=_bar)
        report["project"] = asdict(health) | {"is_damaged": health.is_damaged}
    report["problems"] += [
        part["problem"] for name in ("engine", "window") if (part := report.get(name, {})).get("problem")
    ]
    if args.json:
        print_json(report)
    else:
        _print(report, health)
    return PROBLEMS if report["problems"] or (health is not None and health.is_damaged) else DONE


def versions() -> dict[str, str]:
    """Versions of everything that decides what Coxa computes; nothing is imported for it."""
    found = {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = ""
    return found


def missing_packages() -> list[str]:
    """One sentence for each package that Coxa cannot work without and that is not installed."""
    return [
        f"{package} is not installed. Install Coxa again with its dependencies."
        for package, version in versions().items()
        if not version and package not in OPTIONAL_PACKAGES
    ]


def device() -> dict[str, Any]:
    """The computer: system, processor, memory, disk and graphics processors, found without loading PyTorch."""
    memory = psutil.virtual_memory()
    return {
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count() or 0,
        "memory_bytes": memory.total,
        "memory_free_bytes": memory.available,
        "disk_free_bytes": shutil.disk_usage(Path.cwd()).free,
        "gpus": gpus(),
    }


def gpus() -> list[str]:
    """Names of NVIDIA graphics processors, from the driver; empty when there is none."""
    tool = shutil.which("nvidia-smi")
    if tool is not None:
        command = [tool, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
        try:
            answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout
            return [line.strip() for line in answer.splitlines() if line.strip()]
        except (OSError, subprocess.SubprocessError):
            pass  # a driver that does not answer; /proc may still know the card
    found = []
    for information in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
        for line in information.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("Model:"):
                found.append(line.removeprefix("Model:").strip())
    return found


def engine() -> dict[str, Any]:
    """What PyTorch finds; this is the only place that loads it."""
    try:
        torch = importlib.import_module("torch")
    except ImportError as error:
        return {"problem": f"PyTorch cannot be loaded ({error}). Install Coxa with its engine."}
    cuda = torch.cuda.is_available()
    return {
        "torch": str(torch.__version__),
        "device": torch.cuda.get_device_name(0) if cuda else "CPU",
        "threads": int(torch.get_num_threads()),
        "problem": "",
    }


def window() -> dict[str, Any]:
    """Whether Qt can be loaded with the platform it would use; asked in a process of its own, as Qt aborts when not."""
    code = "from PySide6.QtGui import QGuiApplication as A; print(A([]).platformName())"
    try:
        answer = subprocess.run(
            [sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        return {"problem": f"Qt could not be asked ({type(error).__name__})."}
    if answer.returncode:
        last = (answer.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        return {"problem": f"Qt cannot open a window here: {last} Is there a display?"}
    return {"platform": answer.stdout.strip(), "problem": ""}


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass  # not Linux
    return platform.processor()


def _bar(items: Iterable[str], total: int) -> Iterable[str]:
    return progress(items, total=total, text="images", unit="image")


def _print(report: dict[str, Any], health: HealthReport | None) -> None:
    print(f"Coxa {report['coxa']}. Research use only, not for diagnosis.")
    print("\nVersions")
    for name, version in report["versions"].items():
        absent = "not installed (optional)" if name in OPTIONAL_PACKAGES else "NOT INSTALLED"
        print(f"  {name:<24}{version or absent}")
    if tuple(int(part) for part in sqlite3.sqlite_version.split(".")) <= LAST_VERSION_WITH_WAL_RESET_DEFECT:
        print("    (has SQLite's WAL-reset defect; out of reach here: Coxa writes through one connection only)")
    computer = report["device"]
    print("\nComputer")
    print(f"  {'system':<24}{computer['system']}, {computer['machine']}")
    print(f"  {'processor':<24}{computer['processor']}, {computer['cores']} cores")
    print(
        f"  {'memory':<24}{computer['memory_bytes'] / GIB:.1f} GiB, {computer['memory_free_bytes'] / GIB:.1f} GiB free"
    )
    print(f"  {'disk':<24}{computer['disk_free_bytes'] / GIB:.1f} GiB free here")
    print(f"  {'graphics processor':<24}{'; '.join(computer['gpus']) or 'none found; the CPU is used'}")
    for part in ("engine", "window"):
        if part in report:
            print(f"\n{part.capitalize()}")
            for name, value in report[part].items():
                if value != "":
                    print(f"  {name:<24}{value}")
    if health is not None:
        _print_health(health)
    for problem in report["problems"]:
        print(f"\n! {problem}")


def _print_health(health: HealthReport) -> None:
    print("\nProject")
    for item in health.items:
        print(f"  {item.name:<16}{MARKS[item.state]:<8}{item.text}")
        if item.remedy and item.state is not State.FINE:
            print(f"  {'':<24}→ {item.remedy}")
    for problem in health.problems[:MAX_PROBLEMS_SHOWN]:
        where = f"{problem.table} {problem.key}".strip()
        print(f"    {where + ': ' if where else ''}{problem.text}")
    if (rest := len(health.problems) - MAX_PROBLEMS_SHOWN) > 0:
        print(f"    … and {rest} more (--json lists them all)")
    for kind, addresses in (("damaged", health.damaged_images), ("missing", health.missing_images)):
        for address in addresses[:MAX_PROBLEMS_SHOWN]:
            print(f"    image {address}: {kind}")
    print("\n" + ("Something is damaged." if health.is_damaged else "The project is intact."))

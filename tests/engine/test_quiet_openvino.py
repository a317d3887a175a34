"""OpenVINO tells nobody that it is used."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOUD = re.compile(r"^\s*(import openvino|importorskip\(.openvino)|importorskip\(\"openvino", re.MULTILINE)


def test_what_reports_is_never_loaded() -> None:
    """Importing the converter forks a process that sends an event; it must not even be there."""
    program = (
        "import sys; from app.engine.graph_model import cpu_facts; cpu_facts();"
        "print([name for name, module in sys.modules.items()"
        " if module is not None and ('telemetry' in name or name.startswith('openvino.tools.ovc'))])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_ordinary_import_before_is_refused() -> None:
    program = (
        "import sys, types; sys.modules['openvino'] = types.ModuleType('openvino');"
        "sys.modules['openvino_telemetry'] = types.ModuleType('openvino_telemetry');"
        "from app.engine.quiet_openvino import openvino\n"
        "try: openvino()\n"
        "except RuntimeError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "with its reports" in done.stdout


def test_nothing_else_imports_it() -> None:
    files = [path for room in ("app", "tests", "bench", "packaging") for path in (ROOT / room).rglob("*.py")]
    loud = [
        str(path.relative_to(ROOT))
        for path in files
        if path.name not in ("quiet_openvino.py", "test_quiet_openvino.py") and LOUD.search(path.read_text("utf-8"))
    ]
    assert loud == []

"""An engine without models, for tests: answers what it is told to answer, and ends or hangs where it is told to.

    python fake_engine.py PLAN.json

Standard library only, so that it starts in the blink of an eye. The plan: `answers` (model folder and image address of
the first view -> weights, input key), `pause_s` before each answer, and `faults`, each with a `step` (`greeted`,
`ready`, `started`, `answered`) and `how` (`kill`, `stop`, `abort`, `exit`, `garble`, `noise`, `compute`, `strange`); a
fault that has happened is taken out of the file, so that the next process gets farther.
"""

import hashlib
import json
import os
import select
import signal
import sys
import time
from pathlib import Path

PLAN = Path(sys.argv[1])
SIGNALS = {"kill": "SIGKILL", "stop": "SIGSTOP", "abort": "SIGABRT"}


def send(what: str, /, **parts: object) -> None:
    sys.stdout.write(json.dumps({"type": what, **parts}) + "\n")
    sys.stdout.flush()


def suffer(step: str) -> str:
    """Let the fault of this step happen, if there is one; returns its kind if the process goes on."""
    plan = json.loads(PLAN.read_text())
    found = next((fault for fault in plan["faults"] if fault["step"] == step), None)
    if found is None:
        return ""
    plan["faults"].remove(found)
    PLAN.write_text(json.dumps(plan))
    how = str(found["how"])
    if how in SIGNALS:
        os.kill(os.getpid(), getattr(signal, SIGNALS[how]))
    elif how == "exit":
        send("Failed", job=-1, kind="no-engine", title="The AI engine is not installed.", reason="A part is missing.")
        sys.exit(1)
    elif how == "garble":
        sys.stdout.write("this is no answer\n")
        sys.stdout.flush()
    elif how == "compute":
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            pass
    elif how == "noise":
        sys.stderr.write(f"a library complains about {PLAN}\n")
        sys.stderr.flush()
    return how


def answer(request: dict[str, object], strange: bool) -> None:
    job = request["job"]
    if request["type"] == "Locate":
        send(
            "Located",
            job=job,
            weights_sha256="0" * 64,
            input_key="hip",
            center_xy=[50.0, 60.0],
            confidence=0.9,
            seconds=0,
        )
        return
    views = request["views"]
    assert isinstance(views, list)
    weights, key = json.loads(PLAN.read_text())["answers"][f"{request['model']} {views[0]['image_sha256']}"]
    share = int(hashlib.sha256(key.encode()).hexdigest()[:4], 16) / 65536
    send("Result", job=job, weights_sha256=weights, input_key="other" if strange else key,
         probabilities=[1 - share, share], seconds=0.01)  # fmt: skip


def main() -> None:
    json.loads(sys.stdin.readline())
    suffer("greeted")
    send("Ready", protocol=1, device="cpu", device_name="nothing", precision="float32", memory_bytes=1 << 30)
    suffer("ready")
    waiting: list[dict[str, object]] = []
    while True:
        while not waiting or select.select([0], [], [], 0)[0]:
            line = os.read(0, 1 << 20)
            if not line:
                return
            while not line.endswith(b"\n"):
                line += os.read(0, 1 << 20)
            for part in line.splitlines():
                request = json.loads(part)
                if request["type"] == "Cancel":
                    gone = [each for each in waiting if each["job"] in request["jobs"]]
                    waiting = [each for each in waiting if each not in gone]
                    for each in gone:
                        send("Cancelled", job=each["job"])
                elif request["type"] in ("Predict", "Locate"):
                    waiting.append(request)
        waiting.sort(key=lambda each: (-int(str(each["priority"])), int(str(each["job"]))))
        request = waiting.pop(0)
        send("Started", job=request["job"])
        how = suffer("started")
        time.sleep(json.loads(PLAN.read_text())["pause_s"])
        answer(request, how == "strange")
        suffer("answered")


main()

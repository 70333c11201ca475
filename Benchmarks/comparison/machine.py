"""Which machine and which Corvid the figures are from."""

import os
import platform
import subprocess
from pathlib import Path

from .console import say, stop

ROOT = Path(__file__).resolve().parent.parent.parent


def processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def available_memory() -> int:
    """Bytes that new processes can take without swapping; a guess where the system does not say."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 8 << 30


def commit() -> str:
    result = subprocess.run(
        ["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True)
    return result.stdout.strip() or "unknown"


def description() -> dict:
    return {"processor": processor(), "cores": os.cpu_count(), "system": platform.platform(),
            "load_before": os.getloadavg()[0], "niceness": os.nice(0)}


def warn_if_busy() -> None:
    load = os.getloadavg()[0]
    if load > 0.5:
        say(f"other programs keep this machine busy (load {load:.1f}): the figures will not mean much")


def corvid_binary(given: Path | None) -> Path:
    if given is None:
        say("building corvid if a source has changed")
        if subprocess.run([ROOT / "corvid", "--version"], stdout=subprocess.DEVNULL).returncode != 0:
            stop("corvid could not be built")
        given = ROOT / ".build" / "release" / "corvid"
    if not given.exists():
        stop(f"no binary at {given}")
    return given

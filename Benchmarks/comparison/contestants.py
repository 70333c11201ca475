"""Programs that take turns. A peer's process stays alive between its turns, but stands still."""

import json
import os
import shutil
import signal
import statistics
import subprocess
import tempfile
import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from .console import say
from .environments import Unavailable, home, interpreter, reason
from .peers import Peer
from .process import Outcome
from .shapes import Shape

SERVE = Path(__file__).resolve().parent.parent / "peers" / "serve.py"


@dataclass(frozen=True)
class Turn:
    """What one turn found: token per second, bytes."""

    prefill: float
    decode: float
    memory: float
    peak_fraction: float | None = None
    bandwidth_fraction: float | None = None


@dataclass(frozen=True)
class Work:
    shape: Shape
    dtype: str
    prompt_tokens: int
    generate_tokens: int
    threads: int

    def json(self) -> str:
        own = {key: value for key, value in vars(self).items() if key != "shape"}
        return json.dumps(own | vars(self.shape))


class Corvid:
    """One process for each turn; it draws the weights, warms up, and measures once."""

    versions: dict = {}

    def __init__(self, binary: Path, work: Work, name: str, isa: str | None = None):
        self.name = name
        self.shape = work.shape
        self.environment = {"CORVID_ISA": isa} if isa else {}
        self.command = [
            binary, "bench", "--shape", work.shape.name, "--layers", work.shape.layers, "--dtype",
            work.dtype, "--prompt-tokens", work.prompt_tokens, "--generate-tokens", work.generate_tokens,
            "--repeat", 1, "--threads", work.threads, "--json"]

    def turn(self) -> Turn:
        outcome = Outcome(self.command, self.environment)
        if outcome.code != 0:
            own = [line for line in outcome.errors.splitlines() if line.startswith("corvid: ")]
            raise Unavailable(own[0].removeprefix("corvid: ") if own else reason(outcome.errors))
        report = json.loads(outcome.output)
        return Turn(
            statistics.median(report["prefill_tokens_per_second"]),
            statistics.median(report["decode_tokens_per_second"]),
            report.get("peak_memory_bytes") or outcome.peak_memory,
            report.get("peak_fraction"), report.get("bandwidth_fraction"))

    def close(self) -> None:
        """Nothing is left running."""


class PeerProcess:
    """A worker in the peer's environment. Its threads may spin while they wait: it is stopped meanwhile."""

    def __init__(self, peer: Peer, work: Work):
        self.name = peer.name
        self.work = work
        self.shape = work.shape
        python = interpreter(peer.environment)
        folder = model_folder(peer, work, python)
        self.process = subprocess.Popen(
            [python, SERVE, peer.module, "serve", work.json(), folder], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | peer.variables)
        self.errors: deque[str] = deque(maxlen=40)
        self.reader = threading.Thread(target=lambda: self.errors.extend(self.process.stderr), daemon=True)
        self.reader.start()
        self.versions = self.answer()["versions"]
        self.process.send_signal(signal.SIGSTOP)

    def turn(self) -> Turn:
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        answer = self.answer()
        self.process.send_signal(signal.SIGSTOP)
        return Turn(
            self.work.prompt_tokens / answer["prefill_seconds"],
            self.work.generate_tokens / answer["decode_seconds"], answer["peak_memory_bytes"])

    def answer(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            code = self.process.wait()
            self.reader.join(5)
            cause = f"ended by signal {-code}" if code < 0 else reason("".join(self.errors))
            raise Unavailable(f"did not run: {cause}")
        return json.loads(line)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            pipe.close()


def model_folder(peer: Peer, work: Work, python: Path) -> Path:
    """The peer's random model, made when it is not there."""
    folder = home() / "models" / "-".join(
        [peer.module.removeprefix("peer_"), work.shape.name, f"{work.shape.layers}-layers", work.dtype])
    if folder.exists():
        return folder
    folder.parent.mkdir(exist_ok=True)
    # Exporters write the model in f32 first.
    need = 2 * work.shape.model_bytes("f32")
    if shutil.disk_usage(folder.parent).free < need:
        raise Unavailable(f"making its model needs {need / 1e9:.0f} GB of disk")
    say(f"making the random {work.dtype} model of {peer.name}")
    partial = Path(tempfile.mkdtemp(dir=folder.parent, prefix="partial-"))
    try:
        result = subprocess.run(
            [python, SERVE, peer.module, "make", work.json(), partial], stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, env=os.environ | peer.variables)
        if result.returncode != 0:
            raise Unavailable(f"its model could not be made: {reason(result.stderr)}")
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder

"""Throw-away Python environments, one for each peer, outside the repository."""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from .console import say, stop


@dataclass(frozen=True)
class Environment:
    """Packages that pip installs together, the first of which names the folder."""

    packages: tuple[str, ...]
    modules: tuple[str, ...]
    remark: str = ""
    source: tuple[str, ...] = ()  # packages built here, with this machine's instruction sets
    variables: dict = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return home() / self.packages[0].replace("==", "-")


class Unavailable(Exception):
    """A peer that cannot take part; the text says why."""


def home() -> Path:
    """The folder of all environments and models: private, since programs in it are run."""
    folder = Path(tempfile.gettempdir()) / f"corvid-peers-{os.getuid()}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        stop(f"{folder} belongs to somebody else; set TMPDIR to another folder")
    return folder


def interpreter(environment: Environment, given: Path | None = None) -> Path:
    """The interpreter of `environment`, which is made when it is not there."""
    if given is not None:
        python = given / "bin" / "python"
        if not imports(python, environment.modules[:1]):
            stop(f"{given} is no environment with {environment.modules[0]} in it")
        return python
    folder = environment.folder
    python = folder / "bin" / "python"
    if imports(python, environment.modules):
        return python
    if environment.source and shutil.which("c++") is None and shutil.which("g++") is None:
        raise Unavailable("needs a C++ compiler; on Debian: apt-get install g++")
    say(f"installing {', '.join(environment.packages)} in {folder}"
        + (f"; {environment.remark}" if environment.remark else ""))
    # Without pip inside, so that Debian's python3-venv is not needed; the outer pip fills it.
    subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", folder], check=True)
    command = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
    if environment.source:
        command += ["--no-binary", ",".join(environment.source)]
    result = subprocess.run(
        [*command, *environment.packages], env=os.environ | environment.variables, stdout=sys.stderr,
        stderr=subprocess.PIPE, text=True)
    if result.returncode != 0 or not imports(python, environment.modules):
        shutil.rmtree(folder, ignore_errors=True)
        sys.stderr.write(result.stderr[-4000:])
        raise Unavailable(f"{environment.packages[0]} could not be installed: {reason(result.stderr)}")
    return python


def imports(python: Path, modules: tuple[str, ...]) -> bool:
    return python.exists() and subprocess.run(
        [python, "-c", "import " + ", ".join(modules)], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL).returncode == 0


def reason(errors: str) -> str:
    """The last line of a program's complaint that says something."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    wanted = [line for line in lines if "error" in line.lower()] or lines
    return wanted[-1][:200] if wanted else "no message"

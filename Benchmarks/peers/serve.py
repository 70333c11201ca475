"""Runs one peer in its own environment: makes its random model, or measures whenever it is asked.

    python serve.py PEER make WORK FOLDER      writes the model into FOLDER
    python serve.py PEER serve WORK FOLDER     one JSON line for each line that it reads

PEER is a module beside this file with `make(work, folder)` and a class `Runner`; WORK is a JSON object
with the shape, the number type, the tokens and the threads. What libraries print goes to standard error.
"""

import importlib
import json
import os
import resource
import sys
from pathlib import Path


def tokens(work: dict) -> list[int]:
    """The same ids for every peer; what a token is costs nothing."""
    return [(7919 * index + 13) % work["vocabulary"] for index in range(work["prompt_tokens"])]


def main() -> None:
    name, action, work, folder = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), Path(sys.argv[4])
    # The answers have standard output for themselves.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    peer = importlib.import_module(name)
    if action == "make":
        peer.make(work, folder)
        return
    ids, generate = tokens(work), work["generate_tokens"]
    runner = peer.Runner(work, folder)
    runner.measure(ids, min(generate, 2))
    answers.write(json.dumps({"versions": runner.versions}) + "\n")
    for _ in sys.stdin:
        prefill, decode = runner.measure(ids, generate)
        answers.write(json.dumps({
            "prefill_seconds": prefill, "decode_seconds": decode,
            "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}) + "\n")


if __name__ == "__main__":
    main()

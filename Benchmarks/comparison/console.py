"""What the comparison says while it works, and how it ends early."""

import sys


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def stop(text: str) -> None:
    sys.exit("compare: " + text)

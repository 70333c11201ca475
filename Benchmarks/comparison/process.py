"""One run of one program to its end."""

import json
import os
import subprocess
import threading
import time

from .console import stop


class Outcome:
    """What one process printed and used. Times are seconds, sizes are bytes."""

    def __init__(self, command: list, environment: dict | None = None):
        started = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL, env=os.environ | (environment or {}))
        errors: list[bytes] = []
        reader = threading.Thread(target=lambda: errors.append(process.stderr.read()))
        reader.start()
        output = process.stdout.read()
        reader.join()
        _, status, usage = os.wait4(process.pid, 0)
        self.seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        self.peak_memory = usage.ru_maxrss * 1024
        self.command = str(command[0])
        self.code = process.returncode
        self.errors = errors[0].decode(errors="replace").strip()
        self.output = output.decode(errors="replace")

    def report(self) -> dict:
        if self.code != 0:
            stop(f"{self.command} ended with {self.code}: {self.errors[-2000:]}")
        try:
            return json.loads(self.output)
        except ValueError:
            stop(f"expected one JSON object, got: {self.output[:300]}")

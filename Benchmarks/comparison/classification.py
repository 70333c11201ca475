"""Corvid and transformers at classification by label words, with the same prompts.

Corvid runs the examples once and each text once. The other side does what a straightforward script does: for
each label a forward of the whole prompt and the label, of which it needs the last logits only. It scores a part of
the texts; its time for each text is multiplied with their count. The two take turns.
"""

import argparse
import datetime
import json
import random
import subprocess
import tempfile
from pathlib import Path

from . import machine
from .console import say, stop
from .environments import Unavailable, home, interpreter
from .figures import cell, ratio, summary
from .one_file import default_model
from .peers import PEERS
from .process import Outcome

WORKER = Path(__file__).resolve().parent.parent / "peers" / "label_forward.py"
TYPES = ("f32", "bf16")
LABELS = ("negative", "positive")

GOOD = "wonderful moving brilliant charming superb delightful tender funny lively graceful".split()
BAD = "dreadful boring awful clumsy terrible tedious lifeless noisy shallow careless".split()
THINGS = "film story comedy drama plot acting music ending script picture".split()
FILLERS = "and yet somehow it all seems to me that in the end one sees how much of it there is".split()


def reviews(count: int, seed: int) -> list[dict]:
    """Short texts that look like reviews, about 19 words each as in SST-2."""
    generator = random.Random(seed)
    rows = []
    for number in range(count):
        label = number % 2
        words = GOOD if label else BAD
        start = generator.randrange(len(FILLERS) - 8)
        text = (f"a {generator.choice(words)} {generator.choice(THINGS)} with a {generator.choice(words)} "
                f"{generator.choice(THINGS)} {' '.join(FILLERS[start:start + generator.randrange(4, 9)])} , "
                f"{generator.choice(words)} from scene {number} on .")
        rows.append({"text": text, "label": label})
    generator.shuffle(rows)
    return rows


def lines(rows: list[dict], path: Path) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def weights(corvid: Path, model: Path) -> Path:
    """The model's weights in f32 as a folder that transformers reads; made once."""
    folder = home() / "models" / f"classification-{model.stem}-f32"
    if not (folder / "model.safetensors").exists():
        say(f"converting {model.name} to f32")
        folder.parent.mkdir(exist_ok=True)
        outcome = Outcome([corvid, "convert", model, folder, "--dtype", "f32", "--quiet"])
        if outcome.code != 0:
            stop(outcome.errors)
    return folder


def prompt(examples: list[dict], text: str) -> str:
    shown = "".join(f"Review: {row['text']}\nSentiment: {row['label']}\n\n" for row in examples)
    return f"{shown}Review: {text}\nSentiment:"


def run(arguments: argparse.Namespace) -> None:
    corvid = machine.corvid_binary(arguments.corvid)
    model = (arguments.model or default_model()).resolve()
    try:
        python = interpreter(PEERS["pytorch"].environment)
    except Unavailable as error:
        stop(str(error))
    machine.warn_if_busy()
    with tempfile.TemporaryDirectory() as scratch:
        examples = arguments.examples or lines(reviews(200, 1), Path(scratch) / "examples.jsonl")
        texts = arguments.texts or lines(reviews(1000, 2), Path(scratch) / "texts.jsonl")
        command = [
            corvid, "classify", model, "--task", "sst2", "--examples", examples, "--shots",
            arguments.shots, "--seeds", 1, "--calibrate", "none", "--file", texts, "--json", "--threads",
            arguments.threads]
        folder = weights(corvid, model)
        figures: dict[str, list[float]] = {"corvid": []} | {f"transformers {dtype}": [] for dtype in TYPES}
        agreement: dict[str, float] = {}
        for number in range(arguments.rounds):
            outcome = Outcome(command)
            report = outcome.report()
            figures["corvid"].append(outcome.seconds)
            say(f"round {number + 1}/{arguments.rounds}  corvid: {report['texts']} texts in "
                f"{outcome.seconds:.1f} s")
            part = report["results"][number * arguments.subset:][:arguments.subset]
            shown = report["runs"][0]["examples"]
            prompts = [prompt(shown, row["text"]) for row in part]
            for dtype in TYPES:
                found = other(python, folder, prompts, dtype, arguments.threads)
                seconds = sum(found["seconds"]) / len(prompts) * report["texts"]
                figures[f"transformers {dtype}"].append(seconds)
                same = sum(
                    LABELS[row[1] > row[0]] == ours["label"]
                    for row, ours in zip(found["probabilities"], part)) / len(part)
                agreement[dtype] = same
                say(f"round {number + 1}/{arguments.rounds}  transformers {dtype}: {len(prompts)} texts, "
                    f"{seconds:.0f} s for all; the same label as corvid for {100 * same:.0f} %")
    result = {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "machine": machine.description(), "corvid": machine.commit(), "model": model.name,
        "versions": found["versions"], "texts": report["texts"], "shots": arguments.shots,
        "context_tokens": report["runs"][0]["context_tokens"], "subset": arguments.subset,
        "threads": arguments.threads, "same_labels": agreement,
        "seconds": {name: summary(values) for name, values in figures.items()},
    }
    print_table(result)
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n")


def other(python: Path, folder: Path, prompts: list[str], dtype: str, threads: int) -> dict:
    work = {
        "folder": str(folder), "prompts": prompts, "labels": [" " + label for label in LABELS],
        "dtype": dtype, "threads": threads}
    process = subprocess.run(
        [python, WORKER], input=json.dumps(work), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if process.returncode != 0:
        stop(f"transformers ended with {process.returncode}: {process.stderr[-2000:]}")
    return json.loads(process.stdout)


def print_table(result: dict) -> None:
    on = result["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    print(f"{result['texts']} short texts, {result['shots']} examples shown ({result['context_tokens']} tokens), "
          f"two labels; {result['model']}; {result['threads']} threads, {on['processor']}, {on['cores']} cores, "
          f"{result['date'][:10]}, corvid {result['corvid']}, {versions}\n")
    print("| seconds for all texts, min / median / max | | corvid is faster by |\n|---|---|---|")
    ours = result["seconds"]["corvid"]
    print(f"| corvid, the file's own weights, whole process | {cell(ours, 1)} | |")
    for name, figure in result["seconds"].items():
        if name != "corvid":
            print(f"| {name}, a forward for each label, without loading, from {result['subset']} texts a round "
                  f"| {cell(figure, 0)} | {ratio(figure, ours):.0f} x |")

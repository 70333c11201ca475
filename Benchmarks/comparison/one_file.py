"""Corvid and llama.cpp on one GGUF file.

The two take turns, one process each time, so that both meet the same noise: prefill of --prompt-tokens with
the last position's logits, then --generate-tokens one by one. Both warm up first.
"""

import argparse
import datetime
import json
import os
import statistics
from pathlib import Path

from . import machine
from .console import say, stop
from .environments import Unavailable, interpreter
from .figures import cell, summary
from .peers import LLAMA_CPP
from .process import Outcome

PEER = LLAMA_CPP.packages[0]
MODEL = "SmolLM2-135M-Instruct"

# Runs in the peer's environment: arguments MODEL PROMPT-TOKENS GENERATE-TOKENS THREADS FLASH-ATTENTION.
WORKER = r'''
import ctypes, json, resource, sys, time
import llama_cpp as llama

path, prompt, generate, threads, flash = sys.argv[1], *map(int, sys.argv[2:6])
quiet = llama.llama_log_callback(lambda level, text, data: None)
llama.llama_log_set(quiet, ctypes.c_void_p())
llama.llama_backend_init()
started = time.perf_counter()
settings = llama.llama_model_default_params()
model = llama.llama_model_load_from_file(path.encode(), settings)
if not model:
    sys.exit("llama.cpp cannot load " + path)
loaded = time.perf_counter() - started
settings = llama.llama_context_default_params()
settings.n_ctx = prompt + generate
settings.n_batch = settings.n_ubatch = 512
settings.n_threads = settings.n_threads_batch = threads
settings.flash_attn_type = flash
context = llama.llama_init_from_model(model, settings)
rows = llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(model))

def decode(ids):
    for start in range(0, len(ids), 512):
        part = ids[start:start + 512]
        array = (llama.llama_token * len(part))(*part)
        if llama.llama_decode(context, llama.llama_batch_get_one(array, len(part))) != 0:
            sys.exit("llama.cpp failed to decode")
    llama.llama_synchronize(context)

def clear():
    llama.llama_memory_clear(llama.llama_get_memory(context), True)

ids = [(7919 * index + 13) % rows for index in range(prompt + generate)]
decode(ids[:prompt]); decode(ids[:1])
clear()
started = time.perf_counter()
decode(ids[:prompt])
prefill = prompt / (time.perf_counter() - started)
started = time.perf_counter()
for token in ids[prompt:]:
    decode([token])
rate = generate / (time.perf_counter() - started) if generate else 0.0
print(json.dumps({
    "prefill_tokens_per_second": [prefill], "decode_tokens_per_second": [rate], "load_seconds": loaded,
    "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))
'''


def default_model() -> Path:
    home = os.environ.get("CORVID_HOME") or os.path.join(
        os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share"), "corvid")
    files = sorted((Path(home) / "models" / MODEL).glob("*.gguf"))
    if not files:
        stop("the default model is not there yet; run ./corvid chat once, or give --model FILE.gguf")
    return files[0]


# MARK: Main

def run(arguments: argparse.Namespace) -> None:
    corvid = machine.corvid_binary(arguments.corvid)
    model = (arguments.model or default_model()).resolve()
    if not model.is_file():
        stop(f"no file {model}")
    try:
        python = interpreter(LLAMA_CPP, arguments.environment)
    except Unavailable as error:
        stop(str(error))
    load = os.getloadavg()[0]
    machine.warn_if_busy()
    prompt, generate, threads = arguments.prompt_tokens, arguments.generate_tokens, arguments.threads
    flash = {"auto": -1, "off": 0, "on": 1}[arguments.flash_attention]
    commands = {
        "llama.cpp": [python, "-c", WORKER, model, prompt, generate, threads, flash],
        "corvid": [corvid, "bench", model, "--prompt-tokens", prompt, "--generate-tokens", generate,
                   "--repeat", 1, "--threads", threads, "--json"],
    }
    work = [("prefill_tokens_per_second", f"prefill {prompt}, token/s", 0),
            ("decode_tokens_per_second", f"decode {generate}, token/s", 1),
            ("load_seconds", "load, s", 3)]
    figures: dict[str, dict[str, list[float]]] = {name: {} for name in commands}
    own: dict[str, list[float]] = {"bandwidth_fraction": []}
    for number in range(arguments.rounds):
        for name, command in commands.items():
            report = Outcome(command).report()
            for key, _, _ in work:
                value = report[key]
                figures[name].setdefault(key, []).append(
                    statistics.median(value) if isinstance(value, list) else value)
            figures[name].setdefault("peak_memory_bytes", []).append(report["peak_memory_bytes"])
            if name == "corvid" and isinstance(report.get("bandwidth_fraction"), (int, float)):
                own["bandwidth_fraction"].append(report["bandwidth_fraction"])
            say(f"round {number + 1}/{arguments.rounds}  {name:10}"
                f"prefill {figures[name]['prefill_tokens_per_second'][-1]:8.0f}"
                f"   decode {figures[name]['decode_tokens_per_second'][-1]:7.1f} token/s")

    measure_alone(own, corvid, model, arguments)
    result = {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "machine": machine.description() | {"load_before": load},
        "corvid": machine.commit(), "peer": PEER, "model": model.name, "model_bytes": model.stat().st_size,
        "settings": {"rounds": arguments.rounds, "threads": threads, "prompt_tokens": prompt,
                     "generate_tokens": generate, "flash_attention": arguments.flash_attention,
                     "long_context": arguments.long_context},
        "figures": {name: {key: summary(values) for key, values in part.items()}
                    for name, part in figures.items()},
        "corvid_alone": {key: summary(values) for key, values in own.items() if values},
    }
    print_tables(result, work)
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n")


def measure_alone(own: dict, corvid: Path, model: Path, arguments: argparse.Namespace) -> None:
    """What has a target of its own: a whole process for one token, memory, the price of a long context."""
    shared = ["--threads", arguments.threads]
    size = model.stat().st_size
    say("one token, memory, long context")
    generate = [corvid, "generate", model, "--max-tokens", 1, "--greedy", *shared, "--prompt"]
    turns = range(max(5, arguments.rounds))
    own["one_token_seconds"] = [Outcome([*generate, "Hello"]).seconds for _ in turns]
    # The file is mapped and read as a whole, so what is resident beyond its size is the program's own.
    # 511 words of one token each, and the token that follows.
    words = "the" + " the" * 510
    own["memory_beyond_file_bytes"] = [
        float(max(0, Outcome([*generate, words]).peak_memory - size)) for _ in range(3)]
    if arguments.long_context < 256:
        return
    shape = Outcome([corvid, "inspect", model, "--json"]).report()
    # Keys and values of two bytes each.
    position_bytes = 4 * shape["layers"] * shape["key_value_heads"] * shape["head_width"]
    # On average over the 128 tokens the first run stands at the wanted context, the second near its start.
    prompts = (arguments.long_context - 64, 1)
    for _ in range(3):
        reports = [
            Outcome([corvid, "bench", model, "--prompt-tokens", prompt, "--generate-tokens", 128,
                     "--repeat", 1, *shared, "--json"]).report() for prompt in prompts]
        times = [1 / report["decode_tokens_per_second"][0] for report in reports]
        bandwidth = max(report["read_bandwidth_bytes_per_second"] for report in reports)
        least = position_bytes * (prompts[0] - prompts[1]) / bandwidth
        own.setdefault("long_context_extra_seconds", []).append(times[0] - times[1])
        own.setdefault("long_context_extra_over_bandwidth", []).append((times[0] - times[1]) / least)


def print_tables(result: dict, work: list) -> None:
    settings = result["settings"]
    on = result["machine"]
    print(f"{result['model']}, {settings['threads']} threads, {settings['rounds']} rounds in turn, "
          f"{on['processor']}, {on['cores']} cores, {result['date'][:10]}, "
          f"corvid {result['corvid']}, {result['peer']}\n")
    print("| min / median / max | llama.cpp | corvid | ratio of medians |")
    print("|---|---|---|---|")
    peer, ours = result["figures"]["llama.cpp"], result["figures"]["corvid"]
    for key, title, places in work:
        better, other = (ours, peer) if not key.endswith("seconds") else (peer, ours)
        ratio = better[key]["median"] / max(other[key]["median"], 1e-9)
        print(f"| {title} | {cell(peer[key], places)} | {cell(ours[key], places)} | {ratio:.2f} |")
    alone = result["corvid_alone"]
    print("\n| corvid alone | min / median / max |\n|---|---|")
    scaled = [("one_token_seconds", "one token, whole process, ms", 1e3, 0),
              ("memory_beyond_file_bytes", "peak memory beyond the file, 512 tokens, MB", 1e-6, 0),
              ("long_context_extra_seconds",
               f"extra time per token at {settings['long_context']} tokens, ms", 1e3, 2),
              ("long_context_extra_over_bandwidth", "the same / (KV bytes / read bandwidth)", 1, 2),
              ("bandwidth_fraction", "share of read bandwidth in decode, %", 100, 0)]
    for key, title, scale, places in scaled:
        if key in alone:
            figure = {part: alone[key][part] * scale for part in ("min", "median", "max")}
            print(f"| {title} | {cell(figure, places)} |")

"""The comparison on a shape with random weights: each number type against every peer that has it."""

import argparse
import datetime
import json
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

from . import chart, machine, table
from .console import say, stop
from .contestants import Corvid, PeerProcess, Work
from .figures import ratio, scaled, summary
from .peers import PEERS, TYPES, Peer
from .rounds import groups, interleave
from .shapes import LLAMA, SHAPES, Shape


def run(arguments: argparse.Namespace) -> None:
    if arguments.shape not in SHAPES:
        stop(f"no shape '{arguments.shape}'; there are {', '.join(SHAPES)}")
    shape = SHAPES[arguments.shape].with_layers(arguments.layers)
    peers = [PEERS[name] for name in chosen(arguments.peers, tuple(PEERS), "peer")]
    levels = chosen(arguments.instruction_sets, ("avx2", "portable"), "lower instruction set")
    binary = machine.corvid_binary(arguments.corvid)
    machine.warn_if_busy()
    result = {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "command": "Benchmarks/compare " + " ".join(sys.argv[1:]),
        "machine": machine.description(), "corvid": machine.commit(), "versions": {},
        "shape": vars(shape),
        "settings": {"rounds": arguments.rounds, "threads": arguments.threads,
                     "prompt_tokens": arguments.prompt_tokens, "generate_tokens": arguments.generate_tokens},
        "instruction_sets": levels, "peers": [peer.name for peer in peers], "types": {}}
    for dtype in chosen(arguments.dtypes, TYPES, "type"):
        say(f"{dtype}, {shape.layers} layers")
        work = Work(shape, dtype, arguments.prompt_tokens, arguments.generate_tokens, arguments.threads)
        result["types"][dtype] = measure(work, peers, levels, binary, arguments.rounds, result["versions"])
        # After each type, so that a long run that is cut off leaves what it has.
        write(result, arguments)
    print(table.markdown(result))


def chosen(text: str, known: tuple[str, ...], noun: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in known:
            stop(f"no {noun} '{name}'; there are {', '.join(known)}")
    return names


def write(result: dict, arguments: argparse.Namespace) -> None:
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n")
    if arguments.report:
        arguments.report.mkdir(parents=True, exist_ok=True)
        stem = result["shape"]["name"]
        for suffix, text in (("json", json.dumps(result, indent=2) + "\n"), ("md", table.markdown(result)),
                             ("svg", chart.svg(result))):
            (arguments.report / f"{stem}.{suffix}").write_text(text)


# MARK: One number type

def measure(
    work: Work, peers: list[Peer], levels: list[str], binary: Path, rounds: int, versions: dict
) -> dict:
    """Figures of everybody for one type, by name, and reasons of those who did not run."""
    reasons = {peer.name: peer.missing for peer in peers if work.dtype not in peer.types}
    able = {peer.name: peer for peer in peers if work.dtype in peer.types}
    needs = {name: peer.memory * peer.shape(work.shape).model_bytes(work.dtype)
             for name, peer in able.items()}
    own = 1.3 * work.shape.model_bytes(work.dtype)
    figures: dict[str, dict] = {}
    for names in groups(needs, own, 0.9 * machine.available_memory()):
        starters = [*corvid_starters(work, levels, binary, any(able[name].own_shape for name in names)),
                    *((name, partial(peer_process, able[name], work)) for name in names)]
        results = interleave(starters, rounds, reasons.__setitem__)
        part = {name: figure(contestant.shape, turns, work) for name, (contestant, turns) in results.items()}
        for contestant, _ in results.values():
            versions |= contestant.versions
        # Corvid takes part in every group; its row shows the first one, each ratio the peer's own.
        for name, entry in part.items():
            if name not in figures:
                compare(entry, name, part)
                figures[name] = entry
    return {"figures": figures, "reasons": reasons}


def corvid_starters(work: Work, levels: list[str], binary: Path, other_shape: bool) -> list[tuple]:
    """Corvid as it is, on lower instruction sets, and on the shape of those without a graph for this one."""
    starters = [("corvid", partial(Corvid, binary, work, "corvid"))]
    for level in levels:
        starters.append((f"corvid {level}", partial(Corvid, binary, work, f"corvid {level}", level)))
    if other_shape:
        llama = replace(work, shape=LLAMA.with_layers(work.shape.layers))
        starters.append(("corvid llama", partial(Corvid, binary, llama, "corvid llama")))
    return starters


def peer_process(peer: Peer, work: Work) -> PeerProcess:
    return PeerProcess(peer, replace(work, shape=peer.shape(work.shape)))


def figure(shape: Shape, turns: list, work: Work) -> dict:
    """One contestant's summaries; `equivalent` says its rate in tokens of the compared shape."""
    prompt, generate = work.prompt_tokens, work.generate_tokens
    own, wanted = ({"prefill": each.prefill_operations(prompt) / prompt,
                    "decode": each.decode_operations(prompt, generate) / generate}
                   for each in (shape, work.shape))
    entry: dict = {"shape": shape.name}
    for stage in ("prefill", "decode"):
        rates = summary([getattr(turn, stage) for turn in turns])
        entry[stage] = {
            "tokens_per_second": rates, "operations_per_second": scaled(rates, own[stage]),
            "equivalent": scaled(rates, own[stage] / wanted[stage])}
    for key in ("memory", "peak_fraction", "bandwidth_fraction"):
        values = [getattr(turn, key) for turn in turns if getattr(turn, key) is not None]
        entry[key] = summary(values) if values else None
    return entry


def compare(entry: dict, name: str, part: dict) -> None:
    """Adds Corvid's advantage over `name`, from the rounds which both took turns in."""
    ours = part.get("corvid")
    if ours is None or name == "corvid":
        return
    for stage in ("prefill", "decode"):
        entry[stage]["ratio"] = ratio(ours[stage]["equivalent"], entry[stage]["equivalent"])

"""The Markdown report."""

from .figures import cell, ratio

NAMES = {
    "corvid": "Corvid", "corvid avx2": "Corvid, AVX2", "corvid portable": "Corvid, portable",
    "corvid llama": "Corvid, LLaMA shape", "ctranslate2": "CTranslate2", "pytorch": "PyTorch",
    "llama.cpp": "llama.cpp", "ik_llama.cpp": "ik_llama.cpp", "openvino": "OpenVINO",
    "onnxruntime": "ONNX Runtime"}


def markdown(result: dict) -> str:
    settings, shape, machine = result["settings"], result["shape"], result["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in sorted(result["versions"].items()))
    lines = [
        f"# {shape['name']}, {shape['layers']} layers, random weights", "",
        f"{machine['processor']}, {machine['cores']} cores, {machine['system']}; {result['date'][:10]}; "
        f"corvid {result['corvid']}; {versions}.", "",
        f"    {result['command']}", "",
        f"Prompt of {settings['prompt_tokens']} tokens with the last position's logits, then "
        f"{settings['generate_tokens']} tokens one by one; {settings['threads']} threads, "
        f"{settings['rounds']} rounds in turn after one that is thrown away.",
        "Cells: token/s, minimum / median / maximum; then Corvid's median over theirs, from the same rounds.",
        busy(machine), ""]
    columns = contestants(result)
    lines += row(["work", "Corvid", "of the machine", *(NAMES[name] for name in columns)])
    lines += row(["---"] * (3 + len(columns)))
    footnotes: dict[str, int] = {}
    for dtype, part in result["types"].items():
        for stage in ("prefill", "decode"):
            ours = part["figures"].get("corvid")
            lines += row([
                f"{dtype} {stage}", figure_cell(part, "corvid", stage, footnotes), share(ours, stage),
                *(figure_cell(part, name, stage, footnotes) for name in columns)])
    lines += ["", *(f"{number}. {text}" for text, number in footnotes.items())]
    lines += ["", *per_operation(result), "", *memory(result, columns)]
    return "\n".join(line for line in lines if line is not None).rstrip() + "\n"


def row(cells: list[str]) -> list[str]:
    return ["| " + " | ".join(cells) + " |"]


def busy(machine: dict) -> str | None:
    if machine["load_before"] <= 0.5:
        return None
    return (f"The machine was busy with other programs (load {machine['load_before']:.1f}, niceness of this "
            f"run {machine['niceness']}): the ratios say more than the rates.")


def contestants(result: dict) -> list[str]:
    """Columns beside Corvid's own: its lower instruction sets, then the peers in their order."""
    return [*(f"corvid {level}" for level in result["instruction_sets"]), *result["peers"]]


def share(ours: dict | None, stage: str) -> str:
    key, noun = {"prefill": ("peak_fraction", "peak"), "decode": ("bandwidth_fraction", "bandwidth")}[stage]
    if ours is None or ours[key] is None:
        return "-"
    return f"{100 * ours[key]['median']:.0f} % of {noun}"


def figure_cell(part: dict, name: str, stage: str, footnotes: dict[str, int]) -> str:
    """Rates and ratio, or a reference to the reason for which there are none."""
    entry = part["figures"].get(name)
    if entry is None:
        text = part["reasons"].get(name) or "not measured"
        text = f"{NAMES[name]}: {text}."
        return f"- ({footnotes.setdefault(text, len(footnotes) + 1)})"
    text = cell(entry[stage]["tokens_per_second"])
    advantage = entry[stage].get("ratio")
    if advantage is None:
        return text
    other = entry["shape"] != part["figures"]["corvid"]["shape"]
    return f"{text}; **{advantage:.2f} x**" + (" per operation" if other else "")


def per_operation(result: dict) -> list[str]:
    """Peers that have no graph for the shape: by operations, and beside Corvid on their own shape."""
    rows = []
    for dtype, part in result["types"].items():
        figures = part["figures"]
        ours, same = figures.get("corvid"), figures.get("corvid llama")
        for name, entry in figures.items():
            if ours is None or name == "corvid llama" or entry["shape"] == ours["shape"]:
                continue
            for stage in ("prefill", "decode"):
                direct = ["-", "-"]
                if same:
                    advantage = ratio(same[stage]["tokens_per_second"], entry[stage]["tokens_per_second"])
                    direct = [cell(giga(same[stage])), f"{advantage:.2f} x"]
                rows += row([
                    f"{dtype} {stage}", NAMES[name], cell(giga(entry[stage])), cell(giga(ours[stage])),
                    f"{entry[stage]['ratio']:.2f} x", *direct])
    if not rows:
        return []
    return ["## Per operation", "",
            "These programs have no graph for this shape and run the LLaMA shape (4096 x 11008, as many "
            "layers, vocabulary 32,000). Rates are Gop/s, two for a multiply-add; Corvid runs both.", "",
            *row(["work", "program", "its Gop/s", f"Corvid, {result['shape']['name']}", "over it",
                  "Corvid, LLaMA shape", "over it"]), *row(["---"] * 7), *rows]


def giga(stage: dict) -> dict:
    rates = stage["operations_per_second"]
    return {key: rates[key] * 1e-9 for key in ("min", "median", "max")}


def memory(result: dict, columns: list[str]) -> list[str]:
    lines = ["## Peak memory, GB", "", *row(["type", "Corvid", *(NAMES[name] for name in columns)]),
             *row(["---"] * (2 + len(columns)))]
    for dtype, part in result["types"].items():
        entries = [part["figures"].get(name) for name in ("corvid", *columns)]
        lines += row([
            dtype, *(f"{entry['memory']['max'] * 1e-9:.2f}" if entry else "-" for entry in entries)])
    return lines

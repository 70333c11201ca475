"""The chart: one group of bars for each kind of work, as an SVG without anything from elsewhere."""

from xml.sax.saxutils import escape

from .table import NAMES

WIDTH, LABELS, NUMBERS = 760, 150, 150
BAR, GAP, GROUP = 16, 5, 34
STYLE = """
    text { font: 12px system-ui, sans-serif; fill: #1f2328; }
    .title { font-weight: 600; font-size: 15px; } .group { font-weight: 600; } .quiet { fill: #59636e; }
    .bar { fill: #8c959f; } .ours { fill: #0969da; } .level { fill: #6cb0f5; }
    line { stroke: #1f2328; stroke-width: 1; } .back { fill: #ffffff; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; } .quiet { fill: #9198a1; } .bar { fill: #6e7681; } .ours { fill: #4493f8; }
      .level { fill: #1f5fae; } line { stroke: #e6edf3; } .back { fill: #0d1117; }
    }"""


def svg(result: dict) -> str:
    shape, settings = result["shape"], result["settings"]
    body, y = [], 64
    for dtype, part in result["types"].items():
        for stage in ("prefill", "decode"):
            drawn, y = group(f"{dtype} {stage}, token/s", stage, part["figures"], y)
            body += drawn
    title = f"{shape['name']}, {shape['layers']} layers: {settings['prompt_tokens']} prompt tokens, " \
            f"{settings['generate_tokens']} generated, {settings['threads']} threads"
    remark = f"Medians with minimum and maximum; {result['machine']['processor']}, {result['date'][:10]}. " \
             "llama.cpp and ik_llama.cpp: their LLaMA shape, by operations."
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" role="img">',
        f"  <title>{escape(title)}</title>", f"  <style>{STYLE}\n  </style>",
        f'  <rect class="back" width="{WIDTH}" height="{y}"/>',
        text(16, 26, title, "title"), text(16, 46, remark, "quiet"), *body, "</svg>"]) + "\n"


def group(title: str, stage: str, figures: dict, y: int) -> tuple[list[str], int]:
    """Bars of one kind of work, and where the next group begins."""
    entries = {name: entry[stage]["equivalent"] for name, entry in figures.items() if name != "corvid llama"}
    if not entries:
        return [], y
    scale = (WIDTH - LABELS - NUMBERS) / max(entry["max"] for entry in entries.values())
    lines = [text(16, y + 12, title, "group")]
    y += 22
    for name, entry in entries.items():
        kind = "ours" if name == "corvid" else "level" if name.startswith("corvid ") else "bar"
        middle = y + BAR / 2
        lines += [
            text(LABELS - 8, y + 12, NAMES[name], "", "end"),
            f'  <rect class="{kind}" x="{LABELS}" y="{y}" height="{BAR}" '
            f'width="{entry["median"] * scale:.1f}"/>',
            f'  <line x1="{LABELS + entry["min"] * scale:.1f}" x2="{LABELS + entry["max"] * scale:.1f}" '
            f'y1="{middle}" y2="{middle}"/>',
            text(LABELS + entry["max"] * scale + 8, y + 12, label(figures[name][stage], entry["median"]))]
        y += BAR + GAP
    return lines, y + GROUP - 2 * GAP


def label(stage: dict, rate: float) -> str:
    number = f"{rate:,.0f}" if rate >= 100 else f"{rate:.1f}"
    return number + (f"  (Corvid {stage['ratio']:.2f} x)" if "ratio" in stage else "")


def text(x: float, y: float, content: str, kind: str = "", anchor: str = "start") -> str:
    shown = f' class="{kind}"' if kind else ""
    return f'  <text{shown} x="{x:.1f}" y="{y}" text-anchor="{anchor}">{escape(content)}</text>'

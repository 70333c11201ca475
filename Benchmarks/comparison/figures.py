"""Arithmetic of a comparison: summaries, ratios of medians, and how they are written."""

import statistics


def summary(values: list[float]) -> dict:
    return {"min": min(values), "median": statistics.median(values), "max": max(values), "values": values}


def cell(figure: dict, places: int | None = None) -> str:
    """Minimum, median and maximum; without `places`, as many decimals as the median deserves."""
    if places is None:
        places = 0 if figure["median"] >= 100 else 1 if figure["median"] >= 1 else 3
    return " / ".join(f"{figure[key]:,.{places}f}" for key in ("min", "median", "max"))


def ratio(ours: dict, theirs: dict) -> float:
    """Of medians, greater than one where ours is greater."""
    return ours["median"] / max(theirs["median"], 1e-9)


def scaled(figure: dict, factor: float) -> dict:
    return summary([value * factor for value in figure["values"]])

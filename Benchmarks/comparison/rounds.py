"""Who runs when: A B C, A B C, ... in as few groups as memory allows, the first round thrown away."""

from collections.abc import Callable, Iterable

from .console import say
from .environments import Unavailable


def groups(needs: dict[str, float], own: float, available: float) -> list[list[str]]:
    """Peers that fit in memory together, beside Corvid with `own` bytes, in their order.

    A peer which does not fit even alone still gets a group: its own message is clearer than a guess.
    """
    result: list[list[str]] = []
    room = 0.0
    for name, need in needs.items():
        if not result or need > room:
            result.append([])
            room = available - own
        result[-1].append(name)
        room -= need
    return result or [[]]


def interleave(starters: Iterable[Callable], rounds: int, failed: Callable[[str, str], None]) -> dict:
    """Starts all and lets them take turns.

    `failed` is called with a name and a reason for each that cannot start or stops; the others go on.
    Returns, by name, the contestant and its turns without those of the first round.
    """
    present = []
    try:
        for name, start in starters:
            try:
                present.append(start())
            except Unavailable as error:
                say(f"{name}: {error}")
                failed(name, str(error))
        turns: dict[str, list] = {contestant.name: [] for contestant in present}
        everybody = {contestant.name: contestant for contestant in present}
        for number in range(rounds + 1):
            for contestant in list(present):
                try:
                    turn = contestant.turn()
                except Unavailable as error:
                    say(f"{contestant.name}: {error}")
                    failed(contestant.name, str(error))
                    present.remove(contestant)
                    contestant.close()
                    continue
                say(f"round {number or 'warm-up'}  {contestant.name:14}"
                    f"prefill {turn.prefill:8.1f}   decode {turn.decode:7.2f} token/s")
                if number > 0:
                    turns[contestant.name].append(turn)
        return {name: (everybody[name], found) for name, found in turns.items() if found}
    finally:
        for contestant in present:
            contestant.close()

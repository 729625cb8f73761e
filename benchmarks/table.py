"""What the tables of the benchmarks share: rows, and how far a reading is from the truth."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np


def align(truth: str, read: str) -> list[tuple[str, str]]:
    """Return the pairs of characters of a cheapest alignment, "" where one has none.

    Levenshtein's distance is the number of pairs that differ; a space never stands for a letter.
    """
    costs = np.zeros((len(truth) + 1, len(read) + 1))
    costs[:, 0], costs[0] = np.arange(len(truth) + 1), np.arange(len(read) + 1)

    def swap(i: int, j: int) -> float:
        one, other = truth[i - 1], read[j - 1]
        return float(one != other) * (3 if " " in (one, other) else 1)

    for i, j in product(range(1, len(truth) + 1), range(1, len(read) + 1)):
        apart = min(costs[i - 1, j], costs[i, j - 1]) + 1
        costs[i, j] = min(apart, costs[i - 1, j - 1] + swap(i, j))
    pairs = []
    i, j = len(truth), len(read)
    while i or j:
        if i and j and costs[i, j] == costs[i - 1, j - 1] + swap(i, j):
            i, j = i - 1, j - 1
            pairs.append((truth[i], read[j]))
        elif i and costs[i, j] == costs[i - 1, j] + 1:
            i -= 1
            pairs.append((truth[i], ""))
        else:
            j -= 1
            pairs.append(("", read[j]))
    return pairs[::-1]


def error_rate(pairs: list[tuple[str, str]]) -> float:
    """Return the percentage of wrong, lost and added characters; a space is one, too."""
    wrong = sum(one != other for one, other in pairs)
    return 100 * wrong / sum(bool(one) for one, _ in pairs)


def p95(values: Sequence[float]) -> float:
    return float(np.percentile(values, 95))


def print_row(name: str, value: float, target: str = "", remark: str = "") -> None:
    print(f"{name:56} {value:8.2f}  {target:13} {remark}", flush=True)

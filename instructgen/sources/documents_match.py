"""Which picture goes with which sentence: the assignment whose similarities add up to the most.

MMC4 (arXiv 2304.06939) and OpenFlamingo (arXiv 2308.01390) assign so. The pairs come in the order of the sentences,
for a reader meets the pictures there; OpenFlamingo's loader keeps them in the order of the page, and where that is
another one it shows pictures beside sentences of others.
"""

from collections.abc import Sequence

Matrix = Sequence[Sequence[float]]
"""Of each picture its similarity to each sentence."""


def match_pictures(similarities: Matrix, min_similarity: float) -> list[tuple[int, int]]:
    """Return (sentence, picture) of the best assignment, in the order of the sentences.

    A pair less similar than `min_similarity` is left out once all are assigned.
    """
    sentence_of = assign(similarities)
    pairs = [(sentence, picture) for picture, sentence in enumerate(sentence_of) if sentence is not None]
    return sorted(pair for pair in pairs if similarities[pair[1]][pair[0]] >= min_similarity)


def assign(similarities: Matrix) -> list[int | None]:
    """Return the sentence of each picture, no two the same; None for what is left where there are more pictures."""
    if not similarities or not similarities[0]:
        return [None] * len(similarities)
    if len(similarities) <= len(similarities[0]):
        return list(_assign_rows(similarities))
    columns = [list(column) for column in zip(*similarities, strict=True)]
    found: list[int | None] = [None] * len(similarities)
    for sentence, picture in enumerate(_assign_rows(columns)):
        found[picture] = sentence
    return found


def _assign_rows(gains: Matrix) -> list[int]:
    """Return the column of each row, of at least as many columns (Kuhn and Munkres, by shortest augmenting paths)."""
    state = _Assignment(gains)
    for row in range(1, len(gains) + 1):
        state.add(row)
    found = [0] * len(gains)
    for column, row in enumerate(state.row_of):
        if column and row:
            found[row - 1] = column - 1
    return found


class _Assignment:
    """Rows and columns count from 1; row 0 and column 0 stand for none. `row_of` a column is the one that has it.

    No pair gains more than the two potentials, `rows_v` and `columns_v`, allow, and every assigned pair just as much.
    """

    def __init__(self, gains: Matrix) -> None:
        self._gains = gains
        self._num_columns = len(gains[0])
        self._rows_v, self._columns_v = [0.0] * (len(gains) + 1), [0.0] * (self._num_columns + 1)
        self.row_of = [0] * (self._num_columns + 1)

    def add(self, row: int) -> None:
        """Give a row a column, and others another one where that adds up to more."""
        self.row_of[0], column = row, 0
        slacks, before = [float("inf")] * (self._num_columns + 1), [0] * (self._num_columns + 1)
        used: list[int] = []
        free = set(range(1, self._num_columns + 1))
        while self.row_of[column]:
            used.append(column)
            free.discard(column)
            self._reach(column, free, slacks, before)
            column = min(free, key=lambda other: (slacks[other], other))
            self._shift(slacks[column], used, free, slacks)
        while column:
            self.row_of[column] = self.row_of[before[column]]
            column = before[column]

    def _reach(self, column: int, free: set[int], slacks: list[float], before: list[int]) -> None:
        """Note which free columns are nearer by way of the row that has `column`."""
        row = self.row_of[column]
        gains, row_v = self._gains[row - 1], self._rows_v[row]
        for other in free:
            slack = -gains[other - 1] - row_v - self._columns_v[other]
            if slack < slacks[other]:
                slacks[other], before[other] = slack, column

    def _shift(self, step: float, used: list[int], free: set[int], slacks: list[float]) -> None:
        for column in used:
            self._rows_v[self.row_of[column]] += step
            self._columns_v[column] -= step
        for column in free:
            slacks[column] -= step

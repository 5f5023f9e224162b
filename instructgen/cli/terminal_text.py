"""Text from elsewhere, made harmless for a terminal and laid out by the cells that it takes there."""

_TAB_SIZE = 4


def clean_text(text: str) -> str:
    """Return the text without what a terminal would act on: controls, escapes and marks that turn the writing round.

    Each becomes a question mark, and any kind of space one blank.
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else " " if character.isspace() and character > "\x9f" else "?"
        for character in text.expandtabs(_TAB_SIZE)
    )


def wrap_text(text: str, width: int, start: str = "") -> list[str]:
    """Return the text in lines of at most `width` cells, `start` before the first and its room before the others.

    Letters of East Asia and pictographs take two cells. What the text itself breaks into lines stays apart.
    """
    room = max(2, width - len(start))
    lines = [line for paragraph in text.splitlines() for line in _wrap_line(clean_text(paragraph), room)] or [""]
    gap = " " * len(start)
    return [((gap if number else start) + line).rstrip() for number, line in enumerate(lines)]


def cut_text(text: str, width: int, end: str = "...") -> str:
    """Return the text where it fits into `width` cells, else its beginning and `end`."""
    from rich.cells import cell_len, set_cell_size

    if cell_len(text) <= width:
        return text
    room = width - len(end)
    return set_cell_size(text, room).rstrip() + end if room > 0 else set_cell_size(text, max(0, width))


def _wrap_line(text: str, room: int) -> list[str]:
    from rich.cells import cell_len, chop_cells

    if cell_len(text) <= room:
        return [text]
    lines: list[str] = []
    line, used = "", 0
    for word in text.split(" "):
        for part in chop_cells(word, room) or [""]:
            size = cell_len(part)
            if line and used + 1 + size > room:
                lines.append(line)
                line, used = part, size
            else:
                line = f"{line} {part}" if line else part
                used = cell_len(line)
    return [*lines, line]

"""How the demo shows a call on a terminal: the ladder of its messages, the map of its media ports, a table of its streams."""

import unicodedata

_HALF = 46  # Columns between two lifelines.
_TIME = 8


def width(text):
    """Columns that `text` takes on a terminal: CJK characters take two, combining marks none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def padded(text, columns, align="<"):
    fill = " " * max(0, columns - width(text))
    return fill + text if align == ">" else text + fill


def clipped(text, columns):
    """`text` in at most `columns`, with … where something was cut off."""
    if width(text) <= columns:
        return text
    while width(text) > columns - 1:
        text = text[:-1]
    return text + "…"


def arrow(text, rightwards):
    """One message between two lifelines."""
    text = clipped(text, _HALF - 6)
    line = "─" * (_HALF - 3 - width(text))
    return f" {text} {line}►" if rightwards else f"◄{line} {text} "


def ladder(entries, left, middle, right):
    """`entries`: (seconds since the first, on the left side, rightwards, text); the others: what the lifelines are."""
    columns = [_TIME + 1, _TIME + 2 + _HALF, _TIME + 3 + 2 * _HALF]
    lines = [_heads(columns, (left, middle, right)), _lifelines(columns)]
    for seconds, on_left, rightwards, text in entries:
        halves = [" " * _HALF, " " * _HALF]
        halves[0 if on_left else 1] = arrow(text, rightwards)
        lines.append(f"{padded(f'{seconds:.3f}', _TIME - 1, '>')}  │{halves[0]}│{halves[1]}│")
    lines.append(_lifelines(columns))
    return "\n".join(lines)


def table(head, rows, aligns):
    """Rows of texts under a head, aligned in columns that are as wide as they need to be."""
    widths = [max(width(row[i]) for row in [head, *rows]) for i in range(len(head))]
    def line(row):
        return "  ".join(padded(cell, widths[i], aligns[i]) for i, cell in enumerate(row)).rstrip()
    return "\n".join([line(head), "  ".join("─" * w for w in widths), *[line(row) for row in rows]])


def duration(seconds):
    """A short time for people: 850 ns, 3.4 µs, 1.2 ms."""
    for unit, scale in (("ns", 1e9), ("µs", 1e6), ("ms", 1e3)):
        value = seconds * scale
        if value < 1000:
            return f"{value:.0f} {unit}" if value >= 100 or unit == "ns" else f"{value:.1f} {unit}"
    return f"{seconds:.2f} s"


def percentile(values, share):
    """The value below which `share` of `values` lie; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def _heads(columns, texts):
    """Centred over its lifeline, the outer ones kept inside."""
    line = ""
    for column, text in zip(columns, texts):
        start = max(width(line) + (2 if line else 0), column - width(text) // 2)
        line = padded(line, start) + text
    return line


def _lifelines(columns):
    line = ""
    for column in columns:
        line = padded(line, column) + "│"
    return line

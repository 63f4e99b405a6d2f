"""Draws grey images in a terminal: two pixels a character where it has colours, shades of text where it has not."""
import os
import shutil
import sys

WIDTH = 28
GAP = 2
SHADES = " .:-=+*#%@"


def columns():
    """How many pictures fit beside each other."""
    return max(1, min(5, (shutil.get_terminal_size((100, 30)).columns + GAP) // (WIDTH + GAP)))


def _coloured():
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM", "dumb") != "dumb"


def _grey(value):
    return 232 + int(value) * 23 // 255  # the terminal's 24 greys


def _lines(image):
    """image: uint8 [28,28] -> 14 lines of 28 characters."""
    pairs = zip(image[0::2], image[1::2])
    if _coloured():
        return ["".join(f"\x1b[38;5;{_grey(upper)};48;5;{_grey(lower)}m\u2580" for upper, lower in zip(*pair)) + "\x1b[0m"
                for pair in pairs]
    return ["".join(SHADES[(int(upper) + int(lower)) * (len(SHADES) - 1) // 510] for upper, lower in zip(*pair))
            for pair in pairs]


def row(pictures):
    """pictures: (image, [caption line...]) each; -> text with all of them in one row."""
    blocks = [_lines(image) + [caption[:WIDTH].ljust(WIDTH) for caption in captions] for image, captions in pictures]
    return "\n".join("  " + (" " * GAP).join(parts).rstrip() for parts in zip(*blocks))

"""docs/troubleshooting.md quotes what the programs say."""
import re

import tandemd

PAGE = (tandemd.ROOT / "docs/troubleshooting.md").read_text(encoding="utf8")


def sources():
    """All texts of the programs, as one text."""
    files = [path for folder in ("server", "config", "engine", "clients/cli")
             for path in (tandemd.ROOT / folder).rglob("*.[ch]*")]
    text = "".join(path.read_text(encoding="utf8") for path in files)
    return re.sub(r'"\s*\n\s*"', "", text)  # what a line break divides


def quoted():
    """The messages in the first columns of tables."""
    return re.findall(r"^\| `([^`]+)`(?: in the log)? \|", PAGE, re.M)


def test_every_message_is_one_of_the_programs():
    text = sources()
    messages = list(quoted())
    assert len(messages) > 30
    parts = [part.strip() for message in messages for part in message.split("...")]
    assert [part for part in parts if part not in text] == []


def test_metrics_and_options_exist():
    metrics = (tandemd.ROOT / "docs/metrics.md").read_text(encoding="utf8")
    assert [name for name in re.findall(r"`(tandem_\w+)`", PAGE) if f"| `{name}` |" not in metrics] == []

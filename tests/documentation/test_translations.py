"""README.zh.md says what README.md says."""
import re

import tandemd

ENGLISH, CHINESE = ((tandemd.ROOT / name).read_text(encoding="utf8") for name in ("README.md", "README.zh.md"))


def test_the_commands_are_the_same():
    commands = [re.findall(r"^(scripts/\w+) +#", text, re.M) for text in (ENGLISH, CHINESE)]
    assert commands[0] == commands[1] != []


def test_its_figures_are_in_the_original():
    section = CHINESE.split("## 性能\n")[1].split("\n## ")[0]
    figures = re.findall(r"\d+\.\d+(?= 倍)|(?<=快 )\d+\.\d+", section)
    original = ENGLISH.split("## How fast\n")[1].split("\n## ")[0]
    assert len(figures) == 4
    assert [figure for figure in figures if figure not in original] == []


def test_each_names_the_other():
    assert "](README.zh.md)" in ENGLISH and "](README.md)" in CHINESE

"""A page of README or docs/, followed as a reader would: files written, commands typed, what they print compared.

In a page's Markdown:

- a block of `console` holds commands after `$ ` and what they print; a line `...` stands for any lines, `…` for any text,
  and `(exit code N)` for a command that ends with another code than 0. Without output nothing is compared;
- a block whose title is a file (```` ```toml title="pyproject.toml" ````) is written there, or put at its end where the
  title is "add to" and the file;
- a block of `diff` is applied to the files that it names;
- other blocks of `python` are run one after the other in one namespace; `toml` and `json` have to be readable;
- a block without a language is a picture and not looked at;
- a comment `<!-- shown by PATH -->` before a block names the test that runs it instead.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from markdown_it import MarkdownIt

_EXIT = re.compile(r"^\(exit code (\d+)\)$")
_TITLE = re.compile(r'title="(add to )?([^"]+)"')
_ELSEWHERE = re.compile(r"<!-- shown by (\S+) -->")


@dataclass(frozen=True)
class Block:
    """One fenced block: where it stands, its language, the file it is (or None), and its text."""

    line: int
    language: str
    file: str | None
    append: bool
    text: str
    shown_by: str | None


def read_page(path: Path) -> list[Block]:
    """Every fenced block of a Markdown file, in order."""
    blocks, shown_by = [], None
    for token in MarkdownIt().parse(path.read_text()):
        if token.type == "html_block":
            match = _ELSEWHERE.search(token.content)
            shown_by = match[1] if match else None
        elif token.type == "fence" and token.map:
            language = token.info.partition(" ")[0]
            title = _TITLE.search(token.info)
            file, append = (title[2], bool(title[1])) if title else (None, False)
            blocks.append(Block(token.map[0] + 1, language, file, append, token.content, shown_by))
            shown_by = None
    return blocks


class Walk:
    """Follows one page in an empty folder."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.environment = folder, environment
        self.where = folder
        self.names: dict[str, Any] = {"__name__": "page"}

    def follow(self, page: Path, block: Block) -> None:
        """Do what one block says. Raises AssertionError, with the page's line, where it is not as the page shows."""
        place = f"{page.name}:{block.line}"
        if block.file is not None:
            target = self.where / block.file
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("a" if block.append else "w") as file:
                file.write(block.text)
        elif block.language == "console":
            for command, expected, code in _commands(block.text):
                self._type(place, command, expected, code)
        elif block.language == "diff":
            self._type(place, f"git apply - <<'END'\n{block.text}END", "", 0)
        elif block.language == "python":
            exec(compile(block.text, place, "exec"), self.names)
        elif block.language == "toml":
            tomllib.loads(block.text)
        elif block.language == "json":
            json.loads(block.text)
        elif block.language == "yaml":
            yaml.safe_load(block.text)
        else:
            assert not block.language, f"{place}: nothing is known of blocks of {block.language!r}"

    def _type(self, place: str, command: str, expected: str, code: int) -> None:
        state = self.folder.parent / "where"
        script = f"cd {shlex.quote(str(self.where))}\n{command}\ncode=$?\npwd > {shlex.quote(str(state))}\nexit $code"
        done = subprocess.run(
            ["bash", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            timeout=280, env=os.environ | self.environment, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        printed = f"{place}: $ {command}\n{done.stdout}"
        assert done.returncode == code, f"exit code {done.returncode}, not {code}: {printed}"
        self.where = Path(state.read_text().strip())
        assert not expected.strip() or _pattern(expected).fullmatch(_plain(done.stdout)), (
            f"{printed}\nnot as shown:\n{expected}"
        )


def _commands(text: str) -> list[tuple[str, str, int]]:
    commands: list[tuple[str, str, int]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            commands.append((line[2:], "", 0))
            continue
        command, expected, code = commands.pop()
        if command.endswith("\\") and not expected:
            commands.append((f"{command}\n{line}", "", 0))
        elif match := _EXIT.match(line):
            commands.append((command, expected, int(match[1])))
        else:
            commands.append((command, f"{expected}{line}\n", code))
    return commands


def _plain(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.strip().splitlines())


def _pattern(expected: str) -> re.Pattern[str]:
    lines = [
        r"(?:[^\n]*\n)*?" if line == "..." else r"[^\n]*".join(re.escape(part) for part in line.split("…")) + r"\n"
        for line in _plain(expected).splitlines()
    ]
    return re.compile("".join(lines))

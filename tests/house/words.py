"""Checks the words that this project uses: `python tests/house/words.py` prints each problem and exits 1 if there is one.

Three rules keep the texts readable for newcomers:

- the docstring of a public function or method begins with a verb: "Return the newest version.";
- names that were replaced by the field's own term do not come back;
- phrases that readers stumbled over do not come back.

Properties, fixtures and overloads are exempt from the first rule, because a noun describes them better. A verb that is
missing in `VERBS` is added there, in its place in the alphabet.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
THIS_FOLDER = "tests/house/"
GENERATED = "src/envelopes/messages/"

VERBS = frozenset(
    """
    Accept Acknowledge Acquire Add Advance Allow Answer Appear Append Apply Ask Assert Assign Await Begin Bind Block
    Bring Build Call Cancel Canonicalize Change Check Choose Claim Clear Close Collect Combine Commit Compare Compile
    Compose Compute Confirm Connect Consider Consume Convert Copy Count Create Decide Declare Decode Delete Deliver
    Derive Describe Detect Disappear Discard Disconnect Drain Drive Drop Dump Embed Emit Encode End Ensure Enter
    Enumerate Escape Estimate Evaluate Exclude Execute Exit Expand Explain Export Extend Extract Fail Fetch Fill Filter
    Find Finish Flush Fold Follow Forget Format Freeze Generate Get Give Group Guess Halve Handle Hash Hide Identify
    Ignore Import Include Increase Index Infer Initialize Insert Inspect Install Intersect Join Keep Launch Leave Let
    Limit Link List Load Lock Log Look Lower Make Map Mark Mask Match Measure Merge Migrate Move Mutate Name Narrow
    Negate Normalize Note Notify Open Order Pair Parse Pass Pause Perform Pick Plan Point Poll Pop Post Prepare Preserve
    Prevent Print Probe Process Produce Propose Prove Publish Push Put Quote Raise Rank Read Rebuild Receive Record
    Redact Redeliver Reduce Refill Refuse Register Reject Release Remember Remove Rename Render Renew Reopen Repeat
    Replace Replay Report Request Require Reserve Reset Resolve Restart Restore Resume Retry Return Revoke Rewrite Roll
    Round Run Sample Save Scan Schedule Scrub Seal Search See Seek Select Send Serialize Serve Set Shorten Show Shrink
    Shut Sign Silence Simplify Skip Slow Sort Split Start Step Stop Store Stream Strip Submit Subscribe Subtract
    Summarize Swap Switch Take Test Track Transform Translate Trim Truncate Try Turn Undo Unlock Unwrap Update Use
    Validate Verify Visit Wait Wake Walk Warn Watch Widen Wrap Write Yield
    """.split()  # noqa: SIM905 - a paragraph of words is easier to read and to sort
)

# Where a name has a standard term, the standard term is used (docs/glossary.md).
OLD_NAMES = {
    "class": {
        "Books", "CannotGoOnError", "Desk", "Fate", "Stand", "Valve", "_Door",
    },
    "function": {
        "_bury", "_judge", "_patiently", "at", "find_out", "suffered",
    },
    "variable": {
        "LONGEST", "_DEEPEST", "_LEAST", "_LONGEST", "_MANY", "_MOST", "_SHORTEST", "_SHOWN", "fate", "road", "said",
        "suspects", "told",
    },
    "module": {
        "agreed", "books", "breaks", "census", "covering", "desk", "failing", "gathering", "judged", "sides", "singling",
        "observe", "unread", "valve", "varied", "watching",
    },
}  # fmt: skip

# Each phrase, and what to write in its place. A space matches a line break, too.
OLD_PHRASES = {
    r"never green": "fails",
    r"\bbe it\b": "whether it is",
    r"\b(held|hold|holds) (\w+ ){0,4}against\b": "is checked against, is compared with",
    r"\bnames? a person\b": "personal data",
    r"\bmade(?:-| )up\b": "generated",
    r"\bin hand\b": "in flight",
    r"\btold apart by nothing\b": "cannot be distinguished",
    r", and said\b": "and reported",
    r"\bgone on with\b": "resumed",
    r"\bgoes? on with\b": "continues with",
}


def main() -> int:
    """Print every problem on a line of its own. Return 1 if there is one, else 0."""
    found = sorted(problems(ROOT))
    for problem in found:
        print(problem)
    return 1 if found else 0


def problems(root: Path) -> Iterator[str]:
    """Yield a line for each problem in the files below `root`: place, what is wrong, what to do."""
    for path in _files(root):
        name = path.relative_to(root).as_posix()
        text = path.read_text(encoding="utf-8")
        yield from old_phrases(name, text)
        if path.suffix == ".py":
            tree = ast.parse(text)
            yield from old_names(name, tree)
            if "/tests/" not in name and not name.startswith("tests/"):
                yield from docstrings_without_a_verb(name, tree)


def old_phrases(name: str, text: str) -> Iterator[str]:
    """Yield a line for each phrase of `OLD_PHRASES` in a text."""
    for phrase, better in OLD_PHRASES.items():
        for match in re.finditer(phrase.replace(" ", r"\s+(?:[#*>|-]\s+)?"), text, re.IGNORECASE):
            line = text.count("\n", 0, match.start()) + 1
            yield f'{name}:{line}: "{" ".join(match[0].split())}" is hard to read. Write "{better}".'


def old_names(name: str, tree: ast.Module) -> Iterator[str]:
    """Yield a line for each class, function, variable or module that has a name of `OLD_NAMES`."""
    if Path(name).stem in OLD_NAMES["module"]:
        yield f"{name}:1: the module's name was replaced by a standard term. See docs/glossary.md."
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            kind, defined = "class", [node.name]
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            kind, defined = "function", [node.name]
        elif isinstance(node, ast.Assign):
            kind, defined = "variable", [each.id for each in node.targets if isinstance(each, ast.Name)]
        else:
            continue
        for each in OLD_NAMES[kind].intersection(defined):
            yield f"{name}:{node.lineno}: the {kind} name {each} was replaced by a standard term. See docs/glossary.md."


def docstrings_without_a_verb(name: str, tree: ast.Module) -> Iterator[str]:
    """Yield a line for each public function or method whose docstring begins with anything but a verb."""
    for function in _public_functions(tree):
        docstring = ast.get_docstring(function)
        if docstring is None:
            continue
        first = re.split(r"[\s,.:;]", docstring, maxsplit=1)[0]
        if first not in VERBS:
            yield (
                f"{name}:{function.lineno}: the docstring of {function.name} begins with {first!r}. "
                "Begin with a verb: Return, Raise, Yield, Write …"
            )


def _public_functions(node: ast.Module | ast.ClassDef) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for child in node.body:
        if isinstance(child, ast.ClassDef) and not child.name.startswith("_"):
            yield from _public_functions(child)
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and not child.name.startswith("_"):
            decorators = " ".join(ast.unparse(each) for each in child.decorator_list)
            if not re.search(r"\b(cached_property|property|fixture|overload)\b", decorators):
                yield child


def _files(root: Path) -> Iterator[Path]:
    for pattern in ("*.md", ".pre-commit-config.yaml", ".github/**/*.yml", "docs/**/*.md", "docs/**/*.svg"):
        yield from root.glob(pattern)
    for folder in ("src", "services", "tests"):
        for path in (root / folder).rglob("*"):
            name = path.relative_to(root).as_posix()
            if path.suffix in {".py", ".md", ".html", ".lua", ".toml", ".txt"} and not name.startswith(
                (THIS_FOLDER, GENERATED)
            ):
                yield path


if __name__ == "__main__":
    sys.exit(main())

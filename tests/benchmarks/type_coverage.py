"""Types kept of large schemas, beside datamodel-code-generator alone: `python tests/benchmarks/type_coverage.py SCHEMA ...`.

Each argument is a schema file, or a folder of schema files that refer to each other. One count reads both outputs: the
fields of all classes and the named types, and how often `Json` or `Any` occurs in their annotations, nested ones such as
`list[Any]` and the types of undeclared fields included. Classes that keep undeclared fields without a type for them are
counted apart, and so are fields that are a class or any value but an object (`NotAnObject`).
With `--why`, each `Json` is listed with its reason. Goal: no more `Json` than datamodel-code-generator has `Any`.
"""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from contract_test.files.catalog import load_catalog
from contract_test.generate.package import Generated, generate

ALONE = [
    "--input-file-type", "jsonschema", "--output-model-type", "pydantic_v2.BaseModel", "--target-python-version", "3.11",
    "--use-standard-collections", "--use-union-operator", "--no-collapse-root-models",
    "--enum-field-as-literal", "all", "--use-title-as-name", "--strict-refs",
    "--disable-timestamp", "--allow-remote-refs",
]  # fmt: skip
MAX_SECONDS = 900.0


@dataclass
class Count:
    """What annotations say, over all modules of a package."""

    fields: int = 0
    general: int = 0
    untyped: int = 0
    open_classes: int = 0
    classes: int = 0

    def read(self, source: str) -> None:
        """Count the annotations of one module."""
        tree = ast.parse(source)
        bare = BARE - {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
        bare -= {
            node.target.id
            for node in tree.body
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
        }
        for node in ast.walk(tree):
            match node:
                case ast.ClassDef(body=body, bases=bases):
                    self.classes += 1
                    self.open_classes += any(_keeps_any_others(each) for each in (*bases, *body))
                    for each in body:
                        if isinstance(each, ast.AnnAssign):
                            self._add(each.annotation, bare)
                case ast.AnnAssign(annotation=ast.Name(id="TypeAlias"), value=ast.expr() as value):
                    self._add(value, bare)
                case ast.Dict(keys=[ast.Constant(value="__pydantic_extra__")], values=[value]):
                    self._add(value, bare)

    def _add(self, annotation: ast.expr, bare: set[str]) -> None:
        self.fields += 1
        self.general += _general(annotation, bare)
        self.untyped += sum(isinstance(node, ast.Name) and node.id == "NotAnObject" for node in ast.walk(annotation))


BARE = {"Any", "Json", "object", "dict", "list", "Dict", "List"}


def _general(annotation: ast.expr, bare: set[str]) -> int:
    """Return how often an annotation says that a value may be anything."""
    inside = {id(node.value) for node in ast.walk(annotation) if isinstance(node, ast.Subscript)}
    return sum(isinstance(n, ast.Name) and n.id in bare and id(n) not in inside for n in ast.walk(annotation))


def _keeps_any_others(part: ast.AST) -> bool:
    text = ast.unparse(part)
    return text == "OpenValueObject" or ("extra='allow'" in text and "__pydantic_extra__" not in text)


@dataclass(frozen=True)
class Output:
    """One generator's output: its count, and the seconds to write and to import it. `problem` says why there is none."""

    count: Count
    generated: float
    imported: float
    problem: str = ""


def own(schema: Path, folder: Path) -> tuple[Output, Generated | None]:
    """Generate with this toolkit."""
    document = folder / "contracts" / "document"
    document.mkdir(parents=True)
    shutil.copy(schema, document / "v1.json")
    for path in _companions(schema):
        shutil.copy(path, document)
    started = time.perf_counter()
    done = generate(load_catalog(document.parent), "generated_here", folder)
    seconds = time.perf_counter() - started
    count = Count()
    for path in (folder / "generated_here").rglob("*.py"):
        count.read(path.read_text())
    code = "import generated_here.messages.document_v1"
    return Output(count, seconds, _import(code, folder)), done


def _companions(schema: Path) -> Iterator[Path]:
    """Yield the files of the same folder that a schema names."""
    text = schema.read_text()
    yield from (path for path in schema.parent.glob("*.json") if path != schema and f'"{path.name}' in text)


def alone(schema: Path, folder: Path) -> Output:
    """Generate with datamodel-code-generator alone."""
    for target in (folder / "generated_alone.py", folder / "generated_alone"):  # some schemas need a package
        command = [sys.executable, "-m", "datamodel_code_generator", "--input", str(schema), "--output", str(target)]
        started = time.perf_counter()
        done = subprocess.run([*command, *ALONE], capture_output=True, text=True, check=False, timeout=MAX_SECONDS)
        seconds = time.perf_counter() - started
        if "output directory" not in done.stderr:
            break
    if done.returncode:
        return Output(Count(), seconds, 0, done.stderr.strip().splitlines()[-1][:80])
    count = Count()
    modules = [target] if target.is_file() else sorted(target.rglob("*.py"))
    for path in modules:
        count.read(path.read_text())
    names = (path.relative_to(folder).with_suffix("").as_posix().replace("/", ".") for path in modules)
    code = "; ".join(f"import {name}".removesuffix(".__init__") for name in names)
    return Output(count, seconds, _import(code, folder))


def _import(code: str, folder: Path) -> float:
    best = []
    for text in (code, "pass"):
        started = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", text], cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            print(done.stderr[-600:], file=sys.stderr)
            return float("nan")
        best.append(time.perf_counter() - started)
    return best[0] - best[1]


def lines(schema: Path, *, why: bool) -> Iterator[str]:
    """Yield the row of one schema, and the reasons of its `Json`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours, done = own(schema, folder)
        theirs = alone(schema, folder)
    label = schema.parent.name + "/" + schema.name
    for title, each in (("contract-test", ours), ("datamodel-code-generator", theirs)):
        c = each.count
        yield (f"| {label} | {title} | {c.classes} | {c.fields} | {c.general} | {c.untyped} | {c.open_classes} |"
               f" {each.generated:.1f} s | {each.imported:.2f} s | {each.problem} |")  # fmt: skip
    places = done.general.places if done and done.general else ()
    for reason, number in Counter(place.rsplit(": ", 1)[1] for place in places).most_common():
        yield f"|   | {number} x {reason} |"
    if why:
        yield from places


def main() -> None:
    """Print a table of all schemas."""
    paths = [Path(each) for each in sys.argv[1:] if not each.startswith("-")]
    print(
        "| schema | generator | classes | fields | Json/Any | NotAnObject | open classes | to generate | to import | |"
    )
    for path in paths:
        for line in lines(path, why="--why" in sys.argv):
            print(line, flush=True)


if __name__ == "__main__":
    main()

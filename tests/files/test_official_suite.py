"""The official JSON Schema test suite: a contract accepts what its file accepts, whatever its references are.

The suite comes with the source distribution of jsonschema. It is downloaded from the package index once, into pytest's
cache. Without an index, these tests are skipped.
"""

import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from contract_test.data.errors import SchemaError
from contract_test.files.schemas import SchemaFiles
from contract_test.schema.walk import DRAFTS
from envelopes.validation import compile_schema

FOLDERS = {
    "draft4": "draft-04",
    "draft6": "draft-06",
    "draft7": "draft-07",
    "draft2019-09": "2019-09",
    "draft2020-12": "2020-12",
}
FEWEST_TESTS = {"draft4": 500, "draft6": 700, "draft7": 800, "draft2019-09": 1100, "draft2020-12": 1100}
OWN_META_SCHEMA = "vocabulary.json"
"""Cases with a meta-schema of their own, which is rejected in words unless the catalog declares it."""
FORMATS = "format.json"
"""Since draft 2019-09 the suite takes `format` for an annotation; contracts assert the formats that docs/catalog.md lists."""
VERSION = "4.26.0"


@pytest.fixture(scope="module")
def suite(request):
    folder = Path(request.config.cache.mkdir("json-schema-test-suite")) / VERSION
    if not folder.is_dir():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "jsonschema"]
        subprocess.run([*command, "--dest", folder.parent, f"jsonschema=={VERSION}"], capture_output=True, check=False)
        archives = list(folder.parent.glob(f"jsonschema-{VERSION}.tar.gz"))
        if not archives:
            pytest.skip("the package index cannot be reached")
        with tarfile.open(archives[0]) as archive:
            archive.extractall(folder, filter="data")
    return folder / f"jsonschema-{VERSION}" / "json"


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def write_remotes(suite, draft, root):
    for path in (suite / "remotes").rglob("*.json"):
        name = path.relative_to(suite / "remotes")
        content = json.loads(path.read_text())
        if name.parts[0] in (draft, name.name) or not name.parts[0].startswith("draft"):
            keyword = "id" if draft == "draft4" else "$id"
            if isinstance(content, dict) and keyword not in content:
                content = {keyword: f"http://localhost:1234/{name.as_posix()}"} | content
            write(root / "remotes" / name, content)


@pytest.mark.parametrize("draft", FOLDERS)
def test_a_contract_accepts_what_the_official_suite_says(suite, draft, tmp_path):
    declared = next(uri for uri, name in DRAFTS.items() if name == FOLDERS[draft])
    tried, wrong = 0, []
    for path in sorted((suite / "tests" / draft).glob("*.json")):
        for number, case in enumerate(json.loads(path.read_text())):
            root = tmp_path / path.stem / str(number)
            schema = case["schema"]
            write(root / "v1.json", {"$schema": declared} | schema if isinstance(schema, dict) else schema)
            if "localhost:1234" in json.dumps(schema):
                write_remotes(suite, draft, root)
            files = SchemaFiles(root)
            try:
                resources = files.reach(root / "v1.json")
            except SchemaError as error:
                if path.name != OWN_META_SCHEMA:
                    wrong.append(f"{path.name}: {case['description']}: {error}")
                continue
            compiled = compile_schema(resources, f"{files.uri_of(root / 'v1.json')}#")
            for test in case["tests"]:
                tried += 1
                asserted = path.name == FORMATS and "is only an annotation" in test["description"]
                if compiled.is_valid(test["data"]) is not test["valid"] and not asserted:
                    wrong.append(f"{path.name}: {case['description']}: {test['description']}")
    assert not wrong, "\n".join(wrong)
    assert tried > FEWEST_TESTS[draft]

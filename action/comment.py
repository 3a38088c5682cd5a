"""Write a Markdown file as one comment of a pull request: `python comment.py FILE`. A later run updates the comment.

The first line of the file marks the comment. Without the right to write comments, as in a pull request from a fork, the
text goes to the summary of the job. Needs nothing but Python, and the environment that GitHub Actions sets.
"""  # noqa: INP001 - a script that action.yml runs

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

PER_PAGE = 100
MAX_PAGES = 50
TIMEOUT_SECONDS = 30
NOT_ALLOWED = (401, 403, 404)


class Api:
    """The API of one repository."""

    def __init__(self, base: str, repository: str, token: str) -> None:
        self._base, self._token = f"{base}/repos/{repository}", token

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Return what the API answers. Raises OSError."""
        request = urllib.request.Request(  # noqa: S310 - the address is the one of the server that runs this job
            f"{self._base}/{path}",
            None if body is None else json.dumps(body).encode(),
            {"Accept": "application/vnd.github+json", "Authorization": f"Bearer {self._token}"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - as above
            return json.load(answer)

    def own_comment(self, number: int, mark: str) -> int | None:
        """Return the id of the comment that an earlier run wrote. A comment of a person is none, whatever it says."""
        for page in range(1, MAX_PAGES + 1):
            found = self.call("GET", f"issues/{number}/comments?per_page={PER_PAGE}&page={page}")
            for each in found:
                if each["user"]["type"] == "Bot" and each["body"].startswith(mark):
                    return int(each["id"])
            if len(found) < PER_PAGE:
                return None
        return None


def main() -> int:
    """Write the comment, or the summary. Return 2 in an event in which code of strangers would run with rights."""
    if os.environ.get("GITHUB_EVENT_NAME") == "pull_request_target":
        _say("::error::Run this in pull_request, not in pull_request_target: that gives rights to code of strangers.")
        return 2
    text = Path(sys.argv[1]).read_text(encoding="utf-8")
    event = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
    number = event.get("pull_request", {}).get("number")
    why = _commented(text, number) if number else "This is no pull request"
    if why:
        with Path(os.environ["GITHUB_STEP_SUMMARY"]).open("a", encoding="utf-8") as summary:
            summary.write(text)
        _say(f"::notice::{why}. The result is in the summary of this job.")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _commented(text: str, number: int) -> str:
    """Write the comment. Return why that was not possible, or nothing."""
    api = Api(os.environ["GITHUB_API_URL"], os.environ["GITHUB_REPOSITORY"], os.environ.get("TOKEN", ""))
    mark, _, _ = text.partition("\n")
    try:
        known = api.own_comment(number, mark)
        if known is None:
            api.call("POST", f"issues/{number}/comments", {"body": text})
        else:
            api.call("PATCH", f"issues/comments/{known}", {"body": text})
    except urllib.error.HTTPError as error:
        if error.code in NOT_ALLOWED:
            return "The token of this job may not write comments, as in a pull request from a fork"
        return f"The API answered {error.code}"
    except (OSError, ValueError) as error:
        return f"The API did not answer: {type(error).__name__}"
    return ""


if __name__ == "__main__":
    sys.exit(main())

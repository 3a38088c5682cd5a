"""The page that explains deployments: its console blocks, with two services, a bare repository and a real Redis."""

import json
from pathlib import Path

from docs.page import Walk, read_page
from gate.team import Team, recorded
from redis import Redis

PAGE = Path(__file__).parents[2] / "docs" / "deploying.md"


def test_the_page_can_be_followed(tmp_path, redis_url):
    home = tmp_path / "home"
    home.mkdir()
    team = Team(home)
    (home / ".gitconfig").write_text(
        f'[url "file://{home}/acme.git"]\n\tinsteadOf = https://git.acme.example/acme.git\n'
    )
    blocks = [each for each in read_page(PAGE) if each.shown_by == "tests/gate/test_deploying_page.py"]
    answer, first, deployments, standing, rollback, matrix, clone = blocks
    walk = Walk(home, {**team.environment, "STAGING": redis_url})
    team.verify("mailer", "m1")
    team.deploy("mailer", "m1")
    walk.follow(PAGE, first)
    team.commit("shop", 2, "s2")
    team.verify("shop", "s2")
    walk.where = home / "acme"
    walk.follow(PAGE, answer)
    walk.follow(PAGE, deployments)
    with Redis.from_url(redis_url) as client:
        client.rpush("orders", json.dumps(json.loads(recorded(1))["payload"]))
    for block in (standing, rollback, matrix):
        walk.follow(PAGE, block)
    walk.where = tmp_path
    walk.follow(PAGE, clone)

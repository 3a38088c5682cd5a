#!/usr/bin/env bash
# The day of a team that starts with contract-test: a library with three services.
#
#   desk      lends books, and sends loan.started to the Kafka topic `loans`
#   reminder  reads loan.started, and sends mail.requested to the Redis list `mails`
#   mailer    reads mail.requested
#
# It needs $REMOTE (a bare git repository), $INDEX (a directory for packages), $STAGING_REDIS and $STAGING_KAFKA.
# `new-venv` is on the PATH in place of `python -m venv .venv` and `pip install 'contract-test[replay,tools]'`.
set -euo pipefail

step() { echo "== $*"; }

# red TEXT COMMAND…: the command has to find something, and to say TEXT.
red() {
    local text=$1 code=0 output
    shift
    output=$("$@" 2>&1) || code=$?
    echo "$output"
    ((code)) || { echo "$* is green"; exit 1; }
    grep --quiet --fixed-strings -- "$text" <<<"$output" || { echo "expected '$text'"; exit 1; }
}

# What .github/workflows/contracts.yml runs for a pull request, in a checkout of its merge commit.
checks() {
    local failed=0
    contract-test lint --against origin/main || failed=1
    contract-test generate --check || failed=1
    contract-test compat --against origin/main || failed=1
    contract-test compat || failed=1
    contract-test scan || failed=1
    return "$failed"
}

pull_request() { # of the branch $1: the merge commit that a forge makes of it, checked out as CI does
    rm -rf ../ci
    git push --quiet origin "$1"
    git clone --quiet "$REMOTE" ../ci
    cd ../ci
    git switch --quiet --detach origin/main
    git merge --quiet --no-ff --message "Merge $1" "origin/$1"
}

step "A contracts repository"
git clone --quiet "$REMOTE" contracts 2>/dev/null
cd contracts
contract-test init --package library_envelopes
rm -r contracts/order.placed
cat > contracts/catalog.toml <<'END'
[channels.loans]
protocol = "kafka"
address  = "loans"
codec    = "cloudevents"

[channels.mails]
protocol = "redis-list"
address  = "mails"
codec    = "json"

[subjects."loan.started"]
channel = "loans"
id = "/loan_id"
time = "/started_at"
compatibility = "FULL"
sent_by = ["desk"]
received_by = ["reminder"]

[subjects."mail.requested"]
channel = "mails"
id = "/reminder_id"
time = "/requested_at"
caused_by = "/loan_id"
compatibility = "FULL"
sent_by = ["reminder"]
received_by = ["mailer"]
END
mkdir contracts/loan.started contracts/mail.requested
cat > contracts/loan.started/v1.json <<'END'
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Loan started",
  "type": "object",
  "required": ["loan_id", "borrower", "book", "started_at"],
  "properties": {
    "loan_id": {"type": "string", "pattern": "^l-[0-9]{1,9}$", "x-sensitivity": "public"},
    "borrower": {"type": "string", "maxLength": 80},
    "book": {"enum": ["novel", "atlas", "comic"]},
    "started_at": {"type": "string", "format": "date-time"}
  }
}
END
cat > contracts/mail.requested/v1.json <<'END'
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Mail requested",
  "type": "object",
  "required": ["reminder_id", "loan_id", "to", "requested_at"],
  "properties": {
    "reminder_id": {"type": "string", "pattern": "^r-[0-9]{1,9}$", "x-sensitivity": "public"},
    "loan_id": {"type": "string", "pattern": "^l-[0-9]{1,9}$", "x-sensitivity": "public"},
    "to": {"type": "string", "maxLength": 80},
    "requested_at": {"type": "string", "format": "date-time"}
  }
}
END
contract-test lint
contract-test generate
contract-test register
contract-test init --scheduled-recording
git add . && git commit --quiet --message "Describe loans and mails" && git push --quiet origin HEAD:main
new-venv
git remote set-head origin main

step "Staging, and samples of it"
cat > ../staging.py <<'END'
import os, sys
from confluent_kafka import Producer
from redis import Redis
from library_envelopes import encode
from library_envelopes.messages import LoanStarted, MailRequested

producer = Producer({"bootstrap.servers": os.environ["STAGING_KAFKA"].removeprefix("kafka://")})
start, more = int(sys.argv[1]), {"branch": sys.argv[2]} if len(sys.argv) > 2 else {}
with Redis.from_url(os.environ["STAGING_REDIS"]) as redis:
    for number in range(start, start + 6):
        book = ("novel", "atlas", "comic")[number % 3]
        loan = LoanStarted(loan_id=f"l-{number}", borrower=f"Ana Nr {number}", book=book, started_at="2026-11-30T09:00:00Z", **more)
        wire = encode(loan, source="/desk")
        producer.produce("loans", bytes(wire), wire.key, headers=list(wire.headers))
        mail = MailRequested(reminder_id=f"r-{number}", loan_id=f"l-{number}", to=f"Ana Nr {number}", requested_at="2026-11-30T09:00:01Z")
        redis.rpush("mails", bytes(encode(mail, source="/reminder")))
assert producer.flush(30) == 0
END
.venv/bin/python ../staging.py 1
export CONTRACT_TEST_SCRUB_KEY=5f0c2a91d47e4b3e8a6d1c9b7f2e3a40 STAGING_REDIS_URL=$STAGING_REDIS STAGING_KAFKA_URL=$STAGING_KAFKA
SINCE=earliest bash ci/record-staging
git fetch --quiet && git merge --quiet origin/new-recordings
if grep --recursive --quiet "Ana Nr" contracts; then echo "a name is in the recordings"; exit 1; fi
git push --quiet origin main :new-recordings

step "A release"
git tag v1.0.0 && git push --quiet origin v1.0.0
contract-test package --out "$INDEX"

step "Three services install it, and replay what was recorded"
service() { # NAME: a repository whose tests were filled in; the code of desk and mailer is a line each
    mkdir ../"$1" && cd ../"$1"
    git init --quiet
    new-venv
    .venv/bin/pip install --quiet --no-index --find-links "$INDEX" 'library-envelopes[recordings]'
    .venv/bin/contract-test init --service "$1" --package library_envelopes
}
replay() { .venv/bin/python -m pytest --contracts --quiet -p no:cacheprovider "$@"; }

service desk
cat > tests/test_contracts.py <<'END'
import pytest
from library_envelopes.messages import LoanStarted


@pytest.mark.produces("loan.started")
def test_a_loan_is_told(recorded, emits):
    emits(LoanStarted(**{name: getattr(recorded, name) for name in ("loan_id", "borrower", "book", "started_at")}))
END
replay
service mailer
cat > mailer.py <<'END'
def head(mail):
    return f"To: {mail.to}"
END
cat > tests/test_contracts.py <<'END'
import pytest
from mailer import head


@pytest.mark.consumes("mail.requested")
def test_a_mail_is_sent(message):
    assert head(message).startswith("To: ")
END
replay
service reminder
cat > reminder.py <<'END'
from library_envelopes.messages import MailRequested

DAYS = {"novel": 28, "atlas": 7, "comic": 14}


def remind(loan):
    assert DAYS[loan.book]
    number = loan.loan_id.removeprefix("l-")
    return MailRequested(reminder_id=f"r-{number}", loan_id=loan.loan_id, to=loan.borrower, requested_at=loan.started_at)
END
cat > tests/test_contracts.py <<'END'
import pytest
from reminder import remind


@pytest.mark.consumes("loan.started")
def test_a_loan_is_read(message):
    assert remind(message).to == message.borrower


@pytest.mark.produces("mail.requested", caused_by="loan.started")
def test_a_mail_is_asked_for(cause, recorded, emits):
    emits(remind(cause).model_copy(update={"requested_at": recorded.requested_at}))
END
replay

step "A pull request that breaks is red, and names who breaks"
cd ../contracts
git switch --quiet --create rename-borrower
sed 's/"borrower"/"member"/g' contracts/loan.started/v1.json > contracts/loan.started/v2.json
contract-test generate && contract-test register
git add . && git commit --quiet --message "Rename borrower to member"
pull_request rename-borrower
red "reminder, which reads v1 at origin/main, breaks on what desk sends as v2" contract-test compat --against origin/main

step "A pull request that does not break is green"
cd ../contracts
git switch --quiet --create add-branch main
sed 's/"book": {/"branch": {"enum": ["north", "south"]},\n    "book": {/' contracts/loan.started/v1.json > contracts/loan.started/v2.json
contract-test generate && contract-test register
git add . && git commit --quiet --message "Add the branch"
pull_request add-branch
checks
git push --quiet origin HEAD:main

step "The next release has a higher version"
cd ../contracts
git switch --quiet main && git pull --quiet
contract-test package --show-version
.venv/bin/python ../staging.py 11 north
contract-test record "$STAGING_KAFKA" --channel loans --since earliest
git add . && git commit --quiet --message "Add samples of a branch" && git push --quiet origin main
version=$(contract-test package --show-version)
[[ $version == 1.1.* ]]
git tag "v$version" && contract-test package --out "$INDEX"

step "A service that keeps its package stays green, and is red where it is tested against newer contracts"
cd ../reminder
replay
red "the package is older than contracts.lock" replay --contracts-dir=../contracts/contracts

step "After the upgrade, it replays the new samples, too"
.venv/bin/pip install --quiet --no-index --find-links "$INDEX" --upgrade 'library-envelopes[recordings]'
.venv/bin/python -c "import library_envelopes; assert library_envelopes.__version__ == '$version'"
replay
replay --contracts-dir=../contracts/contracts

step "A new sample that a service cannot handle is red in the pull request that upgrades it, and not before"
cd ../desk
replay
.venv/bin/pip install --quiet --no-index --find-links "$INDEX" --upgrade 'library-envelopes[recordings]'
red "branch" replay
echo "== The day is over"

"""OAUTHBEARER: a recorder logs in to Kafka with a token from an endpoint or from a file, and shows none of it."""

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)
from record.runs import at_topic, copy_of_contracts, like, run

from contract_test.data.errors import ContractTestError
from contract_test.transports.kafka_token import ENDPOINT, Tokens

SECRET = "s3cret/of:the client"


def jwt(life: float = 600) -> str:
    """An unsigned token, which Kafka's validator for development believes."""
    parts = [{"alg": "none"}, {"sub": "recorder", "iat": time.time() - 1, "exp": time.time() + life}]
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


@dataclass
class Endpoint:
    """A token endpoint on this machine: what it answers can be changed, what it was asked is kept."""

    url: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def answer(self) -> bytes:
        return json.dumps({"access_token": jwt(), "expires_in": 600}).encode() if self.body is None else self.body


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    state = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["content-length"])).decode()
            state.asked.append((self.path, self.headers["authorization"], form))
            body = state.answer()
            self.send_response(state.status)
            for name, value in {"content-length": str(len(body)), **state.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST  # noqa: N815 - its name there

        def log_message(self, *_: object) -> None:
            """Nothing on stderr."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.url = f"http://127.0.0.1:{server.server_port}/token"
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield state
        server.shutdown()
        thread.join()


@pytest.fixture
def contracts(tmp_path):
    return copy_of_contracts(tmp_path)


def tokens(endpoint_url: str, **options: str) -> Tokens:
    names = {"id": "sasl.oauthbearer.client.id", "secret": "sasl.oauthbearer.client.secret"}
    given = {ENDPOINT: endpoint_url, names["id"]: "recorder", names["secret"]: SECRET}
    given.update({f"sasl.oauthbearer.{name}": value for name, value in options.items()})
    return Tokens(given, "kafka://broker:9092")


def problem(given: Tokens) -> str:
    with pytest.raises(ContractTestError) as failure:
        given.token()
    assert SECRET not in str(failure.value) + repr(failure.value) + repr(given)
    assert failure.value.place == "kafka://broker:9092"
    return str(failure.value)


@pytest.mark.needs_real_kafka
@pytest.mark.parametrize("more", [[], ["--group", "audit"]])
@pytest.mark.parametrize("source", ["endpoint", "file"])
def test_kafka_is_read_with_a_token(contracts, kafka_node, topic, endpoint, tmp_path, monkeypatch, source, more):
    at_topic(contracts, topic)
    producer = Producer({"bootstrap.servers": kafka_node.address, "log_level": 0})
    producer.produce(topic, like(1), key="m-7f3a9c")
    assert producer.flush(30) == 0
    allowed = [(ResourceType.TOPIC, topic), (ResourceType.GROUP, "audit")]
    rules = [
        AclBinding(kind, name, ResourcePatternType.LITERAL, "User:recorder", "*", AclOperation.READ, AclPermissionType.ALLOW)
        for kind, name in allowed
    ]  # fmt: skip
    admin = AdminClient({"bootstrap.servers": kafka_node.address})
    for made in admin.create_acls(rules).values():
        made.result(30)
    (tmp_path / "token").write_text(jwt() + "\n")
    monkeypatch.setenv("KAFKA_SASL_OAUTHBEARER_CLIENT_ID", "recorder")
    monkeypatch.setenv("KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET", SECRET)
    monkeypatch.setenv(
        "KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL",
        {"endpoint": endpoint.url, "file": f"file://{tmp_path}/token"}[source],
    )
    url = f"kafka://{kafka_node.sasl_address}?security.protocol=SASL_PLAINTEXT&sasl.mechanism=OAUTHBEARER"
    more = [*more, "--results", tmp_path / "results"] if more else []
    code, said = run("verify", url, "--channel", "activity", "--contracts", contracts, *more)
    assert code == 0, said
    assert "1 message" in said
    assert bool(endpoint.asked) == (source == "endpoint")


@pytest.mark.needs_real_kafka
def test_a_token_that_kafka_does_not_believe_is_told_without_it(contracts, kafka_node, topic, tmp_path):
    at_topic(contracts, topic)
    (tmp_path / "token").write_text("bad.token-of-nobody.x")
    url = (
        f"kafka://{kafka_node.sasl_address}?security.protocol=SASL_PLAINTEXT&sasl.mechanism=OAUTHBEARER"
        f"&{ENDPOINT}=file://{tmp_path}/token"
    )
    code, said = run("verify", url, "--channel", "activity", "--contracts", contracts)
    assert code == 3, said
    assert "Kafka did not answer" in said
    assert "token-of-nobody" not in said


def test_a_token_is_asked_for_as_oauth_says_and_again_only_when_it_is_old(endpoint, monkeypatch):
    endpoint.body = b'{"access_token": "first", "expires_in": 1000}'
    given = tokens(endpoint.url, scope="kafka read")
    begin = time.time()
    token, expires = given.token()
    assert token == "first"
    assert begin + 1000 <= expires <= time.time() + 1000
    endpoint.body = b'{"access_token": "second", "expires_in": 1000}'
    assert given.token() == (token, expires)
    pair = base64.b64encode(b"recorder:s3cret%2Fof%3Athe%20client").decode()
    assert endpoint.asked == [("/token", f"Basic {pair}", "grant_type=client_credentials&scope=kafka+read")]
    monkeypatch.setattr(time, "time", lambda: begin + 900)
    assert given.token()[0] == "second"


def test_a_token_in_a_file_is_read_again_when_it_is_old(tmp_path, monkeypatch):
    path = tmp_path / "a token"
    path.write_text(first := jwt(100))
    given = tokens(f"file://{tmp_path}/a%20token")
    assert given.token()[0] == first
    path.write_text(second := jwt(1000))
    assert given.token()[0] == first
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 95)
    assert given.token()[0] == second


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, SECRET.encode(), "it answered 401"),
        (500, b"", "it answered 500"),
        (200, b"[1]", "no access_token"),
        (200, b"not json", "no access_token"),
        (200, b"[" * 60_000, "no access_token"),
        (200, b'{"access_token": 5}', "no text"),
        (200, b'{"access_token": ""}', "no token"),
        (200, b'{"access_token": "a\\u0001auth=Bearer b"}', "no token"),
        (200, b'{"access_token": "' + b"x" * 70_000 + b'"}', "no access_token"),
    ],
)
def test_an_endpoint_that_gives_no_token_is_told_in_words(endpoint, status, body, said):
    endpoint.status, endpoint.body = status, body
    assert said in problem(tokens(endpoint.url))


def test_the_secret_does_not_follow_a_redirect(endpoint):
    endpoint.status, endpoint.headers = 302, {"location": endpoint.url.replace("/token", "/elsewhere")}
    assert "it answered 302" in problem(tokens(endpoint.url))
    assert [path for path, *_ in endpoint.asked] == ["/token"]


@pytest.mark.parametrize(
    ("url", "options", "said"),
    [
        ("", {}, "OAUTHBEARER needs sasl.oauthbearer.token.endpoint.url"),
        ("http://idp.example/token", {}, "https://HOST/PATH"),
        ("ftp://127.0.0.1/token", {}, "https://HOST/PATH"),
        ("file:///does/not/exist", {}, "No such file"),
        ("http://127.0.0.1:1/token", {}, "gave no token"),
        ("http://127.0.0.1:1/token", {"client.secret": ""}, "KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET"),
    ],
)
def test_what_cannot_give_a_token_says_what_can(url, options, said):
    assert said in problem(tokens(url, **options))


def test_an_old_token_is_not_sent(tmp_path):
    (tmp_path / "token").write_text(jwt(-5))
    assert "has expired" in problem(tokens(f"file://{tmp_path}/token"))

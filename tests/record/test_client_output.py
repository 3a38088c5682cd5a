"""Files that other clients wrote are read as the messages in them, or refused with what helps."""

import json

import pytest
from record.runs import run

from contract_test.data.errors import RecordingError
from contract_test.data.reading import Reading
from contract_test.transports.json_lines import read_lines

MESSAGE = '{"id": "a\\tb", "n": 1}'
RPK = {"topic": "t", "key": "k", "value": MESSAGE, "headers": [{"key": "h", "value": "v"}], "timestamp": 1764500000000}
RPK |= {"partition": 2, "offset": 7}


def read(tmp_path, text: str):
    path = tmp_path / "printed.txt"
    path.write_text(text)
    reading = Reading()
    return list(read_lines(str(path), reading)), reading.notes


@pytest.mark.parametrize(
    ("line", "key", "headers"),
    [
        (json.dumps(RPK), b"k", (("h", b"v"),)),
        (f"k\t{MESSAGE}", b"k", ()),
        (f"null\t{MESSAGE}", None, ()),
        (f"CreateTime:1764500000000\th:v,ce_id:1\tk\t{MESSAGE}", b"k", (("h", b"v"), ("ce_id", b"1"))),
        (f"CreateTime:1764500000000\tPartition:0\tOffset:3\tNO_HEADERS\tnull\t{MESSAGE}", None, ()),
        (f"NO_TIMESTAMP\tNO_HEADERS\t{MESSAGE}", None, ()),
        (f"Partition:0\t{MESSAGE}", None, ()),
        (f"Partition:0\tOffset:3\tk\t{MESSAGE}", b"k", ()),
        (f"LogAppendTime:1\tk\t{MESSAGE}", b"k", ()),
        (f"LogAppendTime:1\t{MESSAGE}", None, ()),
        ('1) "{\\"id\\": \\"a\\\\tb\\", \\"n\\": 1}"', None, ()),
        (MESSAGE, None, ()),
        (json.dumps({"format": 1, "channel": "c", "payload": json.loads(MESSAGE)}).replace("\\\\t", "\\t"), None, ()),
    ],
)
def test_a_line_of_another_client_is_the_message_in_it(tmp_path, line, key, headers):
    (found,), _ = read(tmp_path, f"{line}\n")
    assert json.loads(found.wire) == json.loads(MESSAGE)
    assert (found.wire.key, found.wire.headers) == (key, headers)


LABELS = "CreateTime:1764500000000\tPartition:0\tOffset:{}\tDelivery:NOT_PRESENT\tEpoch:NOT_PRESENT\t{}\n"
PRINTED = {
    (): '{0}\n{{"n": 2}}\n',
    ("key",): 'k\t{0}\nnull\t{{"n": 2}}\n',
    ("partition",): 'Partition:0\t{0}\nPartition:0\t{{"n": 2}}\n',
    ("timestamp",): 'CreateTime:1764500000000\t{0}\nCreateTime:1764500000000\t{{"n": 2}}\n',
    ("timestamp", "key"): 'CreateTime:1764500000000\tk\t{0}\nCreateTime:1764500000000\tnull\t{{"n": 2}}\n',
    ("timestamp", "partition", "offset", "delivery", "epoch", "headers", "key"):
        LABELS.format(0, "h:v,ce_id:1\tk\t{0}") + LABELS.format(1, 'NO_HEADERS\tnull\t{{"n": 2}}'),
}  # fmt: skip
"""What kafka-console-consumer of Kafka 4.4.0 printed of two messages, with `print.…=true` for each of these."""


@pytest.mark.parametrize("properties", PRINTED)
def test_what_kafkas_console_consumer_prints_is_the_messages(tmp_path, properties):
    (first, second), _ = read(tmp_path, PRINTED[properties].format(MESSAGE))
    assert [bytes(first.wire), bytes(second.wire)] == [MESSAGE.encode(), b'{"n": 2}']
    assert (first.wire.key, second.wire.key) == (b"k" if "key" in properties else None, None)
    assert first.wire.headers == ((("h", b"v"), ("ce_id", b"1")) if "headers" in properties else ())
    assert second.wire.headers == ()


def test_a_message_that_only_resembles_such_a_line_stays_as_it_is(tmp_path):
    own = json.dumps(RPK | {"customer": 1})
    (found,), _ = read(tmp_path, f"{own}\n")
    assert bytes(found.wire) == own.encode()


@pytest.mark.parametrize(
    "line", ["k\tnull", "CreateTime:1\tNO_HEADERS\tk\tnull", json.dumps(RPK | {"value": None, "headers": []})]
)
def test_a_deletion_is_left_out_and_told(tmp_path, line):
    found, notes = read(tmp_path, f"{line}\n")
    assert (found, len(notes)) == ([], 1)


def test_what_cannot_be_read_for_certain_is_refused_with_what_helps(tmp_path):
    monitor = '1764500000.123456 [0 127.0.0.1:53712] "RPUSH" "queue" "{}"\n'
    with pytest.raises(RecordingError, match="MONITOR") as refused:
        read(tmp_path, monitor)
    assert "LRANGE" in refused.value.advice
    with pytest.raises(RecordingError, match="told apart") as refused:
        read(tmp_path, f"CreateTime:1\ta:b\t{MESSAGE}\n")
    assert "print.key=true" in refused.value.advice
    code, text = run("scan", tmp_path / "printed.txt")
    assert "Traceback" not in text, code
    with pytest.raises(RecordingError) as refused:
        read(tmp_path, json.dumps(RPK, indent=2))
    assert "jq -c ." in refused.value.advice

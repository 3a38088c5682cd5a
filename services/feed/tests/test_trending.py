import json
import signal
import subprocess
import sys
from datetime import timedelta

import pytest

from feed.trending import Trending


@pytest.fixture
def trending():
    return Trending(timedelta(minutes=10))


def test_the_most_liked_message_comes_first(trending, like, people):
    trending.add(like(1, people.bo, message="m-0001"))
    trending.add(like(2, people.bo, message="m-0002"))
    trending.add(like(3, people.cy, message="m-0002"))
    assert trending.top(5) == [("m-0002", 2), ("m-0001", 1)]
    assert trending.top(1) == [("m-0002", 2)]


def test_a_like_that_comes_twice_counts_once(trending, like):
    trending.add(like(1))
    trending.add(like(1))
    assert trending.top(5) == [("m-0001", 1)]


def test_a_like_that_was_taken_back_no_longer_counts_whichever_comes_first(trending, like, unlike, people):
    trending.add(like(1, people.bo))
    trending.add(unlike(like(1, people.bo)))
    trending.add(unlike(like(2, people.cy)))
    trending.add(like(2, people.cy))
    trending.add(like(3, people.di))
    assert trending.top(5) == [("m-0001", 1)]


def test_what_is_older_than_the_window_no_longer_counts_nor_does_what_comes_too_late(trending, like, people):
    trending.add(like(1, people.bo, message="m-0001", seconds=0))
    trending.add(like(2, people.cy, message="m-0001", seconds=500))
    trending.add(like(3, people.bo, message="m-0002", seconds=700))
    trending.add(like(4, people.di, message="m-0001", seconds=1))
    assert trending.top(5) == [("m-0001", 1), ("m-0002", 1)]


def test_it_reads_the_stream_beside_the_feed(kafka, like, people):
    kafka.publish(like(1, people.bo), like(2, people.cy), like(3, message="m-0002"), (b"poison", None, []))
    command = [sys.executable, "-m", "feed", "trending", "--kafka", kafka.address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        wanted = [{"message_id": "m-0001", "likes": 2}, {"message_id": "m-0002", "likes": 1}]
        for line in process.stdout:
            if json.loads(line) == wanted:
                break
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0


def test_it_says_that_the_broker_is_away_and_still_ends():
    command = [sys.executable, "-m", "feed", "trending", "--kafka", "127.0.0.1:1"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert next(line for line in process.stderr if "waiting for Kafka" in line)
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0

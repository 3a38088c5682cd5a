import random

import pytest

from feed import Feed, Received, Store


def test_a_like_is_counted_once_however_often_it_comes(feed, like):
    for _ in range(3):
        feed.handle(like(1))
    assert feed.likes("m-0001") == 1


def test_a_person_who_likes_a_message_twice_counts_once(feed, like, people):
    feed.handle(like(1, people.bo))
    feed.handle(like(2, people.bo))
    feed.handle(like(3, people.cy))
    assert feed.likes("m-0001") == 2


def test_the_author_is_told_who_likes_the_message(feed, like, people):
    (push,) = feed.handle(like(1, people.bo))
    assert push.text == "Bo likes your message"
    assert push.recipient.person_id == people.ana["person_id"]
    assert push.caused_by == "l-0001"


def test_a_push_is_asked_for_once_and_under_the_same_id(feed, like):
    (push,) = feed.handle(like(1))
    assert push.delivery_id == "d-l-0001"
    assert feed.handle(like(1)) == []


def test_nobody_is_told_of_their_own_like(feed, like, people):
    assert feed.handle(like(1, people.ana)) == []
    assert feed.likes("m-0001") == 1
    assert feed.items(people.ana["person_id"]) == []


def test_the_news_feed_names_the_newest_liker_and_counts_the_others(feed, like, post, people):
    feed.handle(post(text="Lunch at one?"))
    for number, liker in enumerate([people.bo, people.cy, people.di, people.ana]):
        feed.handle(like(number, liker, seconds=number))
    (item,) = feed.items(people.ana["person_id"])
    assert item.line == "Di and 2 others like your message"
    assert item.text == "Lunch at one?"


def test_the_news_feed_shows_what_was_liked_last_first(feed, like, people):
    feed.handle(like(1, people.bo, message="m-0001", seconds=5))
    feed.handle(like(2, people.bo, message="m-0002", seconds=9))
    feed.handle(like(3, people.cy, message="m-0001", seconds=7))
    assert [item.message_id for item in feed.items(people.ana["person_id"])] == ["m-0002", "m-0001"]


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1)])
def test_the_newest_like_is_the_one_that_happened_last_not_the_one_that_came_last(feed, like, order, people):
    likers = {1: people.bo, 2: people.cy, 3: people.di}
    for number in order:
        feed.handle(like(number, likers[number], seconds=number))
    assert feed.items(people.ana["person_id"])[0].line == "Di and 2 others like your message"


def test_neither_order_nor_duplicates_change_anything(like, post, people):
    likers = [people.bo, people.cy, people.di, people.ana]
    messages = [like(n, likers[n % 4], message=f"m-000{n // 4}", seconds=n * 31 % 17) for n in range(24)]
    messages += [post(f"m-000{n}") for n in range(6)]
    shown = []
    for seed in range(20):
        feed = Feed(Store("sqlite://"))
        for message in random.Random(seed).sample(messages * 2, len(messages) * 2):
            feed.handle(message)
        shown.append(([feed.likes(f"m-000{n}") for n in range(6)], feed.items(people.ana["person_id"])))
    assert all(each == shown[0] for each in shown)
    assert shown[0][0] == [4] * 6


def test_a_clock_that_runs_ahead_changes_who_is_named_and_not_what_is_counted(feed, like, people):
    feed.handle(like(1, people.bo, seconds=10**8))
    feed.handle(like(2, people.cy))
    assert feed.items(people.ana["person_id"])[0].line == "Bo and 1 other like your message"


def test_a_post_that_comes_after_its_likes_is_remembered(feed, like, post, people):
    feed.handle(like(1))
    feed.handle(post(text="Late"))
    assert feed.items(people.ana["person_id"])[0].text == "Late"


def test_a_like_that_is_taken_back_is_gone(feed, like, unlike, people):
    first = like(1, people.bo)
    feed.handle(first)
    feed.handle(like(2, people.cy, seconds=1))
    feed.handle(unlike(first))
    feed.handle(unlike(first))
    assert feed.likes("m-0001") == 1
    assert feed.items(people.ana["person_id"])[0].line == "Cy likes your message"
    feed.handle(unlike(like(2, people.cy, seconds=1)))
    assert feed.likes("m-0001") == 0
    assert feed.items(people.ana["person_id"]) == []


def test_when_the_newest_liker_leaves_the_one_before_is_named(feed, like, unlike, people):
    newest = like(3, people.di, seconds=3)
    for message in (like(1, people.bo, seconds=1), like(2, people.cy, seconds=2), newest, unlike(newest)):
        feed.handle(message)
    (item,) = feed.items(people.ana["person_id"])
    assert (item.line, item.likes) == ("Cy and 1 other like your message", 2)


def test_an_unlike_may_come_before_its_like(feed, like, unlike, people):
    late = like(1, people.bo)
    assert feed.handle(unlike(late)) == []
    assert feed.handle(late) == [], "nobody is told of a like that was already taken back"
    assert feed.likes("m-0001") == 0


def test_a_like_that_is_given_again_counts_and_is_not_pushed_again(feed, like, unlike, people):
    first = like(1, people.bo)
    assert len(feed.handle(first)) == 1
    feed.handle(unlike(first, seconds=60))
    assert feed.handle(like(2, people.bo, seconds=120)) == []
    assert feed.likes("m-0001") == 1


def test_an_unlike_whose_clock_runs_behind_still_takes_its_like_back(feed, like, unlike, people):
    first = like(1, people.bo, seconds=3600)
    feed.handle(first)
    feed.handle(unlike(first, seconds=60))
    assert feed.likes("m-0001") == 0


def test_an_old_unlike_does_not_take_a_newer_like_back(feed, like, unlike, people):
    feed.handle(like(2, people.bo, seconds=120))
    feed.handle(unlike(like(1, people.bo), seconds=60))
    assert feed.likes("m-0001") == 1


def test_likes_and_unlikes_end_the_same_in_any_order_and_in_batches_of_any_size(like, unlike, people):
    likes = [
        like(n, [people.bo, people.cy, people.di, people.ana][n % 4], message=f"m-000{n % 3}", seconds=n * 31 % 97)
        for n in range(60)
    ]
    messages = likes + [unlike(each, seconds=n * 37 % 97, number=f"{n:04}") for n, each in enumerate(likes) if n % 5]
    shown = []
    for seed in range(30):
        dice = random.Random(seed)
        feed, rest = Feed(Store("sqlite://")), dice.sample(messages * 2, len(messages) * 2)
        offset = 0
        while rest:
            size = dice.randint(1, 40)
            feed.handle_batch([Received("t/0", offset + n, message) for n, message in enumerate(rest[:size])])
            offset, rest = offset + size, rest[size:]
        shown.append(([feed.likes(f"m-000{n}") for n in range(3)], feed.items(people.ana["person_id"])))
    assert all(each == shown[0] for each in shown)
    assert any(shown[0][0])

"""The channels of a subject in `catalog.toml`."""

import pytest

from contract_test.data.errors import CatalogError
from contract_test.files.catalog import load_catalog

CHANNELS = "".join(
    f'[channels.{name}]\nprotocol = "kafka"\naddress = "{name}"\ncodec = "json"\n'
    for name in ("eu", "us", "later", "dead")
)


def load(tmp_path, rows):
    (tmp_path / "order.placed").mkdir()
    (tmp_path / "order.placed" / "v1.json").write_text('{"type": "object"}')
    (tmp_path / "catalog.toml").write_text(f'{CHANNELS}[subjects."order.placed"]\n{rows}')
    return load_catalog(tmp_path).subjects["order.placed"]


def names(channels):
    return [each.name for each in channels]


@pytest.mark.parametrize(
    ("rows", "channels", "retry", "dead_letter"),
    [
        ('channel = "eu"', ["eu"], [], []),
        ('channels = ["eu"]', ["eu"], [], []),
        ('channels = ["us", "eu"]', ["us", "eu"], [], []),
        ('channel = "eu"\nretry = "later"\ndead_letter = ["dead"]', ["eu"], ["later"], ["dead"]),
        ('channels = ["eu", "us"]\nretry = ["later"]', ["eu", "us"], ["later"], []),
        ("", [], [], []),
    ],
)
def test_a_subject_has_the_channels_that_its_rows_name(tmp_path, rows, channels, retry, dead_letter):
    subject = load(tmp_path, rows)
    assert (names(subject.channels), names(subject.retry), names(subject.dead_letter)) == (channels, retry, dead_letter)
    assert names(subject.all_channels) == [*channels, *retry, *dead_letter]
    assert (subject.channel.name if subject.channel else None) == (channels[0] if channels else None)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ('channel = "eu"\nchannels = ["us"]', "channel and channels are both there"),
        ('channels = ["eu", "asia"]', "no channel 'asia'"),
        ('channel = "eu"\nretry = "soon"', "no channel 'soon'"),
        ('channel = "eu"\ndead_letter = "eu"', "the channel 'eu' is in channels and in dead_letter"),
        ('channels = ["eu", "eu"]', "the channel 'eu' is in channels and in channels"),
        ('retry = "later"', "retry without a channel that producers send to"),
        ('channel = "eu"\nretry = ""', "retry is ''"),
        ('channel = "eu"\nretry = []', "retry is []"),
        ('channels = "eu"', "channels is 'eu'"),
        ('channel = "eu"\nretry = [1]', "retry is [1]"),
    ],
)
def test_rows_that_name_no_channel_or_one_twice_are_refused(tmp_path, rows, said):
    with pytest.raises(CatalogError) as raised:
        load(tmp_path, rows)
    assert said in str(raised.value)

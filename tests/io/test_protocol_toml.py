import tomllib
from dataclasses import fields

import pytest
from hypothesis import given

from multifidus.data.protocol import FatMethod, MeasurementProtocol
from multifidus.errors import ProtocolError, ReadError
from multifidus.io.protocol_toml import (
    about_preset,
    as_explained_toml,
    as_toml,
    changed_settings,
    load_protocol,
    preset_texts,
    protocol_of_table,
    setting_meanings,
)
from tests.support.strategies import protocols


@given(protocols())
def test_a_protocol_comes_back_from_its_toml(tmp_path_factory, protocol):
    path = tmp_path_factory.getbasetemp() / "protocol.toml"
    path.write_text(as_toml(protocol))
    assert load_protocol(path) == protocol
    assert load_protocol(str(path)).digest == protocol.digest


@given(protocols())
def test_an_explained_file_says_the_same(tmp_path_factory, protocol):
    path = tmp_path_factory.getbasetemp() / "explained.toml"
    path.write_text(as_explained_toml(protocol))
    assert load_protocol(path) == protocol


def test_the_written_keys_are_the_settings_of_the_interface():
    protocol = MeasurementProtocol(("pooled_otsu", "fixed"), fixed_threshold=180.0)
    written = tomllib.loads(as_toml(protocol))
    assert written == {
        name: value for name, value in protocol.as_dict().items() if value is not None
    }
    assert written["fat_methods"] == ["pooled_otsu", "fixed"]
    assert written["fixed_threshold"] == 180.0
    assert "fixed_threshold" not in as_toml(MeasurementProtocol())


def test_every_setting_has_a_meaning():
    meanings = setting_meanings()
    assert set(meanings) == {item.name for item in fields(MeasurementProtocol)}
    assert all(text.endswith(".") for text in meanings.values())


def test_only_what_differs_from_the_default_is_named():
    assert changed_settings(MeasurementProtocol()) == []
    assert changed_settings(MeasurementProtocol(minimal_points=30)) == ["minimal_points = 30"]


def test_a_file_says_only_what_differs_from_the_default(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('fat_methods = ["otsu"]\n')
    assert load_protocol(path) == MeasurementProtocol((FatMethod.OTSU,))


@pytest.mark.parametrize("name", preset_texts())
def test_every_preset_is_a_protocol_and_names_its_source(name):
    assert isinstance(load_protocol(name), MeasurementProtocol)
    about = " ".join(about_preset(name))
    assert "Source: " in about
    assert ('"like": ' in about) == name.endswith("_like")
    changed = changed_settings(load_protocol(name))
    assert bool(changed) == (name != "default")


def test_the_default_preset_is_the_default():
    assert load_protocol("default") == MeasurementProtocol()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fat_methods = [", r"mine\.toml is not TOML"),
        ("sharpness = 5", r"mine\.toml: Unknown protocol settings: sharpness"),
        ('fat_methods = ["magic"]', r"mine\.toml: Unknown fat method"),
        ("minimal_points = 1", r"mine\.toml: minimal_points must be"),
        ("fat_methods = 5", r"mine\.toml: Unknown fat method"),
    ],
)
def test_a_file_that_is_no_protocol_is_refused_with_its_name(tmp_path, text, message):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(ProtocolError, match=message):
        load_protocol(path)


def test_a_file_in_another_encoding_is_refused(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_bytes("# Schärfe".encode("latin-1"))
    with pytest.raises(ReadError, match="not UTF-8"):
        load_protocol(path)


def test_a_file_that_begins_with_a_byte_order_mark_is_read(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('fat_methods = ["otsu"]', encoding="utf-8-sig")
    assert load_protocol(path) == MeasurementProtocol(("otsu",))


def test_an_unknown_preset_is_refused_with_the_known_ones():
    with pytest.raises(ProtocolError, match=r"no protocol preset or file 'strict'.*default"):
        load_protocol("strict")


def test_a_tables_protocol_is_the_one_beside_it_or_a_preset_and_never_another(tmp_path):
    beside = tmp_path / "protocol.toml"
    nearest = MeasurementProtocol(slice_selection="nearest")
    assert protocol_of_table({MeasurementProtocol().digest}, beside) == MeasurementProtocol()
    assert protocol_of_table({nearest.digest}, beside) is None
    assert protocol_of_table(set(), beside) is None
    beside.write_text(as_toml(nearest))
    assert protocol_of_table({nearest.digest}, beside) == nearest
    assert protocol_of_table(set(), beside) == nearest
    with pytest.raises(ProtocolError, match="the table was measured by abc, def"):
        protocol_of_table({"abc", "def"}, beside)
    assert protocol_of_table({"abc"}, beside, "default") == MeasurementProtocol()

from dataclasses import fields, replace

import pytest
from hypothesis import given

from multifidus.data.protocol import BiasCorrection, FatMethod, MeasurementProtocol
from multifidus.errors import ProtocolError
from tests.support.strategies import protocols


def test_the_default_is_the_pooled_threshold_with_both_fat_fractions_beside_it():
    wanted = (FatMethod.POOLED_OTSU, FatMethod.SIGNAL, FatMethod.LINEAR)
    assert MeasurementProtocol().fat_methods == wanted
    assert MeasurementProtocol().bias_correction is BiasCorrection.JOINT


@given(protocols())
def test_a_protocol_comes_back_from_its_plain_values(protocol):
    back = MeasurementProtocol.from_dict(protocol.as_dict())
    assert back == protocol
    assert back.digest == protocol.digest


@given(protocols(), protocols())
def test_the_digest_tells_protocols_apart(first, second):
    assert (first.digest == second.digest) == (first == second)
    assert len(first.digest) == 12
    assert int(first.digest, 16) >= 0


def test_every_setting_changes_the_digest():
    changed = {
        "fat_methods": ("otsu", "fixed"),
        "fixed_threshold": 80.0,
        "reference_weight": 1.0,
        "minimal_separation": 2.0,
        "minimal_coverage": 0.25,
        "minimal_contrast": 0.2,
        "maximal_disagreement_pct": 7.0,
        "lean_sd_multiple": 2.5,
        "minimal_points": 30,
        "propose_references": True,
        "bias_correction": "none",
        "tracing_sd_mm": 0.4,
        "tracing_correlation_mm": 4.0,
        "tracing_offset_mm": 0.3,
        "placement_sd_mm": 0.5,
        "threshold_resamples": 30,
        "minimal_valid_fraction": 0.9,
        "oedema_weeks": 6.0,
        "regional_fat": True,
        "tilt_axis": "patient_z",
        "tilt_limit_deg": 10.0,
        "slice_selection": "nearest",
        "level_value": "max",
    }
    together = {"tilt_vector", "band_mm"}
    assert set(changed) | together == {item.name for item in fields(MeasurementProtocol)}
    base = MeasurementProtocol(("otsu", "pooled_otsu", "fixed"), fixed_threshold=70.0)
    digests = {replace(base, **{name: value}).digest for name, value in changed.items()}
    assert len(digests | {base.digest}) == len(changed) + 1


def test_a_direction_and_a_band_change_the_digest():
    protocols = [
        *(MeasurementProtocol(tilt_axis="vector", tilt_vector=(0, y, 1)) for y in (0, 0.2)),
        *(MeasurementProtocol(slice_selection="band", band_mm=width) for width in (5, 10)),
    ]
    assert len({protocol.digest for protocol in protocols}) == len(protocols)


def test_a_whole_number_is_the_same_setting_as_its_decimal():
    whole, decimal = (MeasurementProtocol(("fixed",), value, value, value) for value in (80, 80.0))
    assert whole == decimal
    assert whole.digest == decimal.digest


def test_one_method_may_be_named_alone():
    assert MeasurementProtocol("otsu").fat_methods == (FatMethod.OTSU,)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"fat_methods": ("magic",)}, "Unknown fat method among"),
        ({"fat_methods": ("otsu", "otsu")}, "named twice"),
        ({"fat_methods": 5}, "Unknown fat method among 5"),
        ({"fat_methods": (["otsu"],)}, "Unknown fat method among"),
        ({"fat_methods": ("fixed",)}, "needs fixed_threshold"),
        ({"fixed_threshold": 5.0}, "needs fixed_threshold"),
        ({"fat_methods": ("fixed",), "fixed_threshold": float("nan")}, "fixed_threshold must be"),
        ({"fat_methods": ("fixed",), "fixed_threshold": "80"}, "fixed_threshold must be"),
        ({"reference_weight": -0.1}, "reference_weight must be a finite number of at least 0"),
        ({"reference_weight": None}, "reference_weight must be"),
        ({"reference_weight": 10**400}, "reference_weight must be a finite number"),
        ({"minimal_points": 10**400}, "minimal_points must be a whole number"),
        ({"fat_methods": ("fixed",), "fixed_threshold": True}, "must be a finite number, got True"),
        ({"minimal_separation": float("inf")}, "minimal_separation must be"),
        ({"minimal_coverage": 1.5}, "minimal_coverage must be 0 to 1, got 1.5"),
        ({"minimal_contrast": -1}, "minimal_contrast must be a finite number of at least 0"),
        ({"maximal_disagreement_pct": "5"}, "maximal_disagreement_pct must be a finite number"),
        ({"lean_sd_multiple": -2.0}, "lean_sd_multiple must be a finite number of at least 0"),
        ({"minimal_points": 2}, "minimal_points must be a whole number of at least 3"),
        ({"minimal_points": 20.5}, "minimal_points must be a whole number"),
        ({"minimal_points": True}, "minimal_points must be"),
        ({"propose_references": 1}, "propose_references must be true or false"),
        ({"bias_correction": "magic"}, "Unknown bias_correction 'magic'.*low_order"),
        ({"tracing_sd_mm": -0.1}, "tracing_sd_mm must be a finite number of at least 0"),
        ({"tracing_correlation_mm": 0}, "tracing_correlation_mm must be a finite number"),
        ({"threshold_resamples": 1}, "threshold_resamples must be a whole number of at least 2"),
        ({"regional_fat": "yes"}, "regional_fat must be true or false"),
        ({"minimal_valid_fraction": 1.2}, "minimal_valid_fraction must be 0 to 1, got 1.2"),
        ({"oedema_weeks": -1}, "oedema_weeks must be a finite number of at least 0"),
        ({"tilt_axis": "belly"}, "Unknown tilt_axis 'belly'"),
        ({"tilt_axis": "vector"}, "tilt_axis = 'vector' needs tilt_vector"),
        ({"tilt_vector": [0, 0, 1]}, "tilt_vector needs it"),
        ({"tilt_axis": "vector", "tilt_vector": [0, 0, 0]}, "tilt_vector must be three finite"),
        ({"tilt_axis": "vector", "tilt_vector": "up"}, "tilt_vector must be three finite"),
        ({"tilt_axis": "vector", "tilt_vector": [0, 1]}, "tilt_vector must be three finite"),
        ({"tilt_limit_deg": -1}, "tilt_limit_deg must be a finite number of at least 0"),
        ({"slice_selection": "best"}, "Unknown slice_selection 'best'"),
        ({"slice_selection": "band"}, "slice_selection = 'band' needs band_mm"),
        ({"band_mm": 5.0}, "band_mm needs it"),
        ({"slice_selection": "band", "band_mm": -5.0}, "band_mm must be a finite number"),
        ({"level_value": "median"}, "Unknown level_value 'median'"),
        ({"sharpness": 5}, "Unknown protocol settings: sharpness"),
    ],
)
def test_a_protocol_that_cannot_be_meant_is_refused(settings, message):
    with pytest.raises(ProtocolError, match=message):
        MeasurementProtocol.from_dict(settings)

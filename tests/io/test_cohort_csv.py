import pytest

from multifidus.data.anatomy import Level
from multifidus.data.clinical import Clinical
from multifidus.data.roi import Reading
from multifidus.errors import CohortError, ReadError
from multifidus.io.cohort_csv import read_cohort
from multifidus.io.labelmap import load_labels

HEADER = "subject,timepoint,images,rater,reading,outlines,labels,age\n"


def table(folder, text, header=HEADER, encoding="utf-8"):
    path = folder / "cohort.csv"
    path.write_bytes((header + text).encode(encoding))
    return path


def test_a_row_is_one_exam_read_once(tmp_path):
    (case,) = read_cohort(table(tmp_path, "S01,pre,scan/s01,AB,2,a.json;b.json,lpm,50\n")).cases
    assert case.reading == Reading("S01", "pre", "AB", 2)
    assert case.images == (tmp_path / "scan" / "s01",)
    assert case.outlines == (tmp_path / "a.json", tmp_path / "b.json")
    assert case.labels == "lpm"
    assert dict(case.extra) == {"age": "50"}


def test_only_subject_timepoint_and_images_are_needed(tmp_path):
    path = table(tmp_path, "S01,pre,scan\n", "subject,timepoint,images\n")
    (case,) = read_cohort(path).cases
    assert case.reading == Reading("S01", "pre", "", 1)
    assert (case.outlines, case.labels, dict(case.extra)) == ((), None, {})


def test_an_absolute_path_stays_what_it_is(tmp_path):
    scan = tmp_path / "elsewhere"
    (case,) = read_cohort(table(tmp_path, f"S01,pre,{scan},,,,,\n")).cases
    assert case.images == (scan,)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_table_saved_by_a_spreadsheet_is_read(tmp_path, encoding):
    path = table(tmp_path, " Müller 1 ,pre,scan,,,,,\r\n\r\n", encoding=encoding)
    assert read_cohort(path).cases[0].reading.subject == "Müller 1"


def test_a_row_may_end_early(tmp_path):
    assert read_cohort(table(tmp_path, "S01,pre,scan\n")).cases[0].outlines == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (",pre,scan\n", r"cohort\.csv, line 2 has no subject"),
        ("S01, ,scan\n", r"cohort\.csv, line 2 has no timepoint"),
        ("S01,pre,scan\n\n\nS02,pre,\n", r"cohort\.csv, line 5 has no images"),
        ("S01,pre,scan,AB,two\n", r"cohort\.csv, line 2: .*'two'"),
        ("S01,pre,scan,AB,0\n", r"cohort\.csv, line 2: reading counts 1, 2"),
        ("S01,pre,a,b,1,c,d,e,f\n", r"cohort\.csv, line 2 has more fields than the header"),
        ("S01,pre,a,AB\nS01,pre,b,AB,1\n", r"cohort\.csv: The cohort lists subject S01.*twice"),
        ("", r"cohort\.csv: The cohort has no cases"),
    ],
)
def test_a_row_that_cannot_be_meant_is_refused_with_its_line(tmp_path, text, message):
    with pytest.raises(CohortError, match=message):
        read_cohort(table(tmp_path, text))


def test_clinical_columns_are_understood_and_still_pass_through(tmp_path):
    header = "subject,timepoint,images,date,surgery_date,height_cm,operated_levels\n"
    path = table(tmp_path, "S01,post,scan,2002-01-31,2002-01-01,170.0,L4-L5\n", header)
    (case,) = read_cohort(path).cases
    assert case.clinical == Clinical(170.0, None, 30, (Level.L4_L5,))
    assert case.extra["height_cm"] == "170.0"
    assert case.extra["surgery_date"] == "2002-01-01"


def test_a_clinical_cell_that_cannot_be_meant_is_refused_with_line_and_column(tmp_path):
    path = table(tmp_path, "S01,pre,a,170\nS02,pre,b,1.7\n", "subject,timepoint,images,height_cm\n")
    with pytest.raises(CohortError, match=r"cohort\.csv, line 3: height_cm must be") as error:
        read_cohort(path)
    assert "centimetres" in error.value.remedy


@pytest.mark.parametrize("header", ["", "subject:timepoint:images\n", "Patient,timepoint,images\n"])
def test_missing_columns_are_named(tmp_path, header):
    with pytest.raises(CohortError, match=r"cohort\.csv lacks the columns .*subject"):
        read_cohort(table(tmp_path, "", header))


def test_a_table_in_another_encoding_is_refused(tmp_path):
    with pytest.raises(ReadError, match=r"cohort\.csv as a cohort table: it is not UTF-8"):
        read_cohort(table(tmp_path, "Müller,pre,scan\n", encoding="latin-1"))


def test_a_missing_table_is_refused(tmp_path):
    with pytest.raises(ReadError, match=r"Cannot read .*gone\.csv as a cohort table"):
        read_cohort(tmp_path / "gone.csv")


SHARING = "subject,timepoint,images,rater,landmarks,levels_by\n"


@pytest.mark.parametrize(
    ("cells", "landmarks", "levels_by"),
    [
        ("m.json;n.json,shared", ("m.json", "n.json"), "shared"),
        ("m.json,", ("m.json",), "shared"),
        (",rater", (), "rater"),
        (",", (), ""),
    ],
)
def test_the_table_says_who_sets_levels(tmp_path, cells, landmarks, levels_by):
    (case,) = read_cohort(table(tmp_path, f"S01,pre,scan,AB,{cells}\n", SHARING)).cases
    assert case.landmarks == tuple(tmp_path / name for name in landmarks)
    assert case.extra == {"levels_by": levels_by}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("S01,pre,a,AB,m.json,everybody\n", r"line 2 has levels_by 'everybody'"),
        ("S01,pre,a,AB,m.json,rater\n", r"line 2 has levels_by 'rater' and names landmarks"),
        ("S01,pre,a,AB,,shared\n", r"line 2 has levels_by 'shared' and names no landmarks"),
        ("S01,pre,a,AB,m.json,\nS01,pre,a,CD,,\n", r"S01, timepoint pre name one landmarks"),
    ],
)
def test_levels_that_are_shared_by_some_alone_are_refused(tmp_path, text, message):
    with pytest.raises(CohortError, match=message):
        read_cohort(table(tmp_path, text, SHARING))


def test_cells_that_are_too_long_to_be_names_of_files_are_read(tmp_path):
    muscles = ("multifidus", "erector_spinae", "psoas", "quadratus_lumborum")
    entries = [
        f"{n}={muscle} {side}"
        for n, (muscle, side) in enumerate(
            ((muscle, side) for _ in range(2) for muscle in muscles for side in ("left", "right")),
            1,
        )
    ]
    scheme = ",".join(entries)
    assert len(scheme) > 255
    path = tmp_path / "cohort.csv"
    path.write_text(
        "subject,timepoint,rater,images,outlines,labels\n"
        f'S01,pre,AB,back\\{"x" * 300},a.nii,"{scheme} v1.0"\n'
    )
    (case,) = read_cohort(path).cases
    assert case.images == (tmp_path / "back" / ("x" * 300),)
    assert case.labels == f"{scheme} v1.0"
    with pytest.raises(ReadError, match="no label preset or file"):
        load_labels("x" * 300)

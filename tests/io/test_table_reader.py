"""Tables as people save them: read as what they are, or refused by what is wrong."""

from __future__ import annotations

import builtins
import datetime

import pytest
from hypothesis import given, strategies as st
from typer.testing import CliRunner

from multifidus.cli.app import app
from multifidus.data.columns import KNOWN
from multifidus.data.roi import Reading
from multifidus.errors import CohortError, ReadError
from multifidus.io.cohort_csv import read_cohort
from multifidus.io.labelmap import load_labels
from multifidus.io.table_names import is_table
from multifidus.io.table_reader import ExpectedTable, read_rows, read_table
from tests.io.test_table_csv import TEXTS, TRICKY
from tests.support.tables import values_of

HEADER = "subject,timepoint,order,rater,reading,images,height_cm"
ROWS = ("01,pre,0,AB,1,a,178.5", "02,pre,0,AB,1,b,180")


def save(folder, text, name="t.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def plain(folder):
    return read_rows(save(folder, "\n".join([HEADER, *ROWS]) + "\n", "plain.csv"))


# --- rows and columns without text -----------------------------------------------------------


def test_rows_and_columns_without_text_are_passed_over(tmp_path):
    lines = [",,,,,,,,", HEADER + ",,", *(row + ",," for row in ROWS), *[",,,,,,,, "] * 3]
    assert read_rows(save(tmp_path, "\r\n".join(lines))) == plain(tmp_path)


def test_an_empty_column_between_others_is_passed_over(tmp_path):
    assert read_rows(save(tmp_path, "a,,b\n1,,2\n")) == [{"a": "1", "b": "2"}]


def test_a_column_without_a_name_that_holds_something_is_refused(tmp_path):
    with pytest.raises(ReadError, match=r"line 3 has 'x' in column 2, which has no name"):
        read_rows(save(tmp_path, "a,,b\n1,,2\n1,x,2\n"))


def test_a_last_column_without_a_name_that_holds_something_is_refused(tmp_path):
    with pytest.raises(ReadError, match=r"line 2 has more fields than the header"):
        read_rows(save(tmp_path, "a,b,\n1,2,3\n"))


# --- kinds of CSV ----------------------------------------------------------------------------


def european(text):
    return text.replace(",", ";").replace(".", ",")


@pytest.mark.parametrize(
    ("change", "encoding", "remark"),
    [
        (european, "utf-8", "t.csv: read as semicolon-separated, decimal commas."),
        (european, "utf-8-sig", "t.csv: read as semicolon-separated, decimal commas."),
        (lambda t: t.replace(",", ";"), "utf-8", "t.csv: read as semicolon-separated."),
        (lambda t: t.replace(",", "\t"), "utf-8", "t.csv: read as tab-separated."),
        (lambda t: t.replace(",", "\t"), "utf-16", "t.csv: read as tab-separated, UTF-16."),
        (lambda t: "sep=,\n" + t, "utf-8-sig", ""),
        (lambda t: "sep=;\n" + t.replace(",", ";"), "utf-8", "t.csv: read as semicolon-separated."),
        (lambda t: t.replace("\n", "\r\n"), "utf-8-sig", ""),
        (lambda t: t.replace("\n", "\r"), "utf-8", ""),
        (lambda t: t.replace("subject", "Subject").replace("order", " ORDER\u00a0"), "utf-8", ""),
        (lambda t: t.replace("height_cm", "Height cm"), "utf-8", ""),
    ],
)
def test_every_kind_of_csv_says_the_same(tmp_path, change, encoding, remark):
    text = change("\n".join([HEADER, *ROWS]) + "\n")
    found = read_table(save(tmp_path, text, encoding=encoding), ExpectedTable(known=KNOWN))
    expected = plain(tmp_path)
    assert found.remark == remark
    assert [row["subject"] for row in found.rows] == ["01", "02"]
    assert (
        read_cohort(save(tmp_path, text, encoding=encoding)).cases
        == read_cohort(save(tmp_path, "\n".join([HEADER, *ROWS]) + "\n")).cases
    )
    known = {name.casefold().replace("_", "").strip() for name in expected[0]}
    assert {name.casefold().replace("_", "").replace(" ", "") for name in found.header} == known


def test_two_columns_of_one_name_are_refused(tmp_path):
    with pytest.raises(ReadError, match=r"line 1 names two columns 'Age' and ' age'"):
        read_rows(save(tmp_path, "subject,Age, age\n1,2,3\n"))
    with pytest.raises(CohortError, match="two columns"):
        read_cohort(save(tmp_path, "subject,timepoint,images,Subject\n1,2,3,4\n"))


def test_a_separator_that_nobody_knows_is_refused(tmp_path):
    with pytest.raises(ReadError, match="separated by 'x'"):
        read_rows(save(tmp_path, "sep=x\naxb\n1x2\n"))


def test_a_header_that_two_separators_fit_is_refused(tmp_path):
    with pytest.raises(ReadError, match="comma or semicolon"):
        read_rows(save(tmp_path, "a,b;c\n1,2;3\n"))


def test_a_semicolon_in_one_name_does_not_make_a_table_of_semicolons(tmp_path):
    text = 'subject,timepoint,images,levels (L4;L5)\n1,pre,a,"x;y"\n'
    assert read_rows(save(tmp_path, text))[0]["levels (L4;L5)"] == "x;y"


@pytest.mark.parametrize("strange", ["\n", "\r\n", "\r", "\x0b", "\x0c", "\u2028", "\x85"])
def test_a_line_break_inside_a_quoted_cell_is_part_of_it(tmp_path, strange):
    text = f'subject,timepoint,images,note\n1,pre,a,"one{strange}two"\n2,pre,b,x\n'
    cases = read_cohort(save(tmp_path, text)).cases
    assert [case.extra["note"] for case in cases] == [f"one{strange}two", "x"]


def test_a_line_is_named_where_it_begins(tmp_path):
    with pytest.raises(CohortError, match=r"line 4 has no images"):
        read_cohort(save(tmp_path, 'subject,timepoint,images\n"1\n",pre,a\n2,"pr\ne",\n'))


def test_a_quotation_mark_that_is_never_closed_is_refused(tmp_path):
    with pytest.raises(ReadError, match=r"line 2: unexpected end of data"):
        read_rows(save(tmp_path, 'a,b\n1,"2\n3,4\n5,6\n'))


def test_what_is_not_text_is_refused(tmp_path):
    with pytest.raises(ReadError, match="not UTF-8"):
        read_rows(save(tmp_path, "a,b\nMüller,2\n", encoding="latin-1"))


@given(st.lists(st.tuples(st.one_of(TEXTS, TRICKY), st.one_of(TEXTS, TRICKY)), max_size=3))
def test_a_workbook_or_another_separator_changes_no_text(tmp_path_factory, cells):
    """Quoted as every program quotes, so that only separators differ."""
    folder = tmp_path_factory.mktemp("t")

    def quoted(text):
        return '"' + text.replace('"', '""') + '"'

    rows = [("n", "subject", "images"), *((f"k{n}", a, b) for n, (a, b) in enumerate(cells))]
    found = [
        read_rows(save(folder, "\n".join(separator.join(map(quoted, row)) for row in rows)))
        for separator in (",", ";", "\t")
    ]
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == len(cells)


# --- decimal commas --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["9,1", "1,234"], ["9.1", "1.234"]),
        (["0,123", "1,234"], ["0.123", "1.234"]),
        (["1234,567", "1,234"], ["1234.567", "1.234"]),
        (["9.1", "1.234"], ["9.1", "1.234"]),
        (["-9,1e3", "+2"], ["-9.1e3", "+2"]),
        (["9,1", "NA"], ["9.1", "NA"]),
        (["1\u202f234,5", "9,1"], ["1234.5", "9.1"]),
        (["1,5", "left, right"], ["1,5", "left, right"]),
    ],
)
def test_decimal_commas_are_read_where_they_are_sure(tmp_path, cells, values):
    text = "subject;note\n" + "".join(f"1,5;{cell}\n" for cell in cells)
    found = read_rows(save(tmp_path, text))
    assert [row["note"] for row in found] == values
    assert {row["subject"] for row in found} == {"1,5"}


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["1,234"], "may be a decimal or thousands"),
        (["1.234"], "may be a decimal or thousands"),
        (["1.234,5"], "thousands are separated"),
        (["1,234.5"], "thousands are separated"),
        (["1.234.567"], "thousands are separated"),
        (["9,1", "9.1"], "both as 9,1 and as 9.1"),
        (["9,1", "1.234"], "both as 9,1 and as 1.234"),
    ],
)
def test_commas_that_may_be_thousands_are_refused(tmp_path, cells, message):
    text = "subject;value\n" + "".join(f"1;{cell}\n" for cell in cells)
    with pytest.raises(ReadError, match=message):
        read_rows(save(tmp_path, text))


def test_thousands_are_told_by_other_columns_only_if_these_agree(tmp_path):
    one = "subject;a;b\n1;1,234;9,1\n"
    assert read_rows(save(tmp_path, one))[0]["a"] == "1.234"
    with pytest.raises(ReadError, match="may be a decimal or thousands"):
        read_rows(save(tmp_path, "subject;a;b\n1;1.234;9,1\n"))
    with pytest.raises(ReadError, match="may be a decimal or thousands"):
        read_rows(save(tmp_path, "subject;a;b;c\n1;1,234;9,1;9.1\n"))


@pytest.mark.parametrize("cell", ['"9,1"', '"1,234"', "1_000"])
def test_a_comma_in_a_table_of_commas_is_no_number(tmp_path, cell):
    rows = read_rows(save(tmp_path, f"subject,quantity,value\n1,tcsa_mm2,{cell}\n"))
    with pytest.raises(ReadError, match=r"value is .* no number"):
        values_of(rows)


# --- workbooks -------------------------------------------------------------------------------


def workbook(folder, *rows, name="t.xlsx", change=lambda _book: None):
    from openpyxl import Workbook

    book = Workbook()
    for row in rows:
        book.active.append(row)
    change(book)
    book.save(folder / name)
    return folder / name


def test_a_workbook_is_read(tmp_path):
    day = datetime.datetime(2001, 3, 5)  # noqa: DTZ001 - as a workbook has it
    path = workbook(
        tmp_path,
        ["Subject", "timepoint", "date", "reading", "images", "height_cm", None],
        [1, "pre", day, 1.0, "a", 178.5, None],
        ["01", "post", None, 2, "b", None, None],
        [None, None, None, None, None, None, None],
    )
    found = read_cohort(path)
    assert [case.reading for case in found.cases] == [
        Reading("1", "pre", "", 1),
        Reading("01", "post", "", 2),
    ]
    assert found.cases[0].clinical.height_cm == 178.5
    assert found.cases[0].extra["date"] == "2001-03-05"
    assert found.remarks == ("t.xlsx: read as sheet 'Sheet' of a workbook.",)


def test_a_number_that_is_shown_with_leading_zeros_keeps_them(tmp_path):
    def zeros(book):
        book.active["A2"].number_format = "000"

    path = workbook(tmp_path, ["a", "b"], [1, 1], change=zeros)
    assert read_rows(path) == [{"a": "001", "b": "1"}]


def sheets(book):
    book.create_sheet("other").append(["x"])


def merged(book):
    book.active.merge_cells("A2:A3")


def percent(book):
    book.active["A2"].number_format = "0%"


def formula(book):
    book.active["A2"] = "=1+1"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (sheets, r"several sheets that hold something: 'Sheet', 'other'"),
        (merged, r"merged cells: A2:A3"),
        (percent, r"cell A2 holds 0.25 and shows it in percent"),
        (formula, r"cell A2 is a formula without a value"),
    ],
)
def test_a_workbook_that_says_two_things_is_refused(tmp_path, change, message):
    with pytest.raises(ReadError, match=message):
        read_rows(workbook(tmp_path, ["a", "b"], [0.25, 1], [0.5, 2], change=change))


def test_a_hidden_or_empty_sheet_is_passed_over(tmp_path):
    def more(book):
        book.create_sheet("empty")
        hidden = book.create_sheet("choices")
        hidden.append(["left"])
        hidden.sheet_state = "hidden"

    assert read_rows(workbook(tmp_path, ["a"], [2.5], change=more)) == [{"a": "2.5"}]


def test_a_workbook_without_openpyxl_is_refused_with_the_remedy(tmp_path, monkeypatch):
    path = workbook(tmp_path, ["a"], [1])
    found = builtins.__import__

    def without(name, *rest, **named):
        if name.startswith("openpyxl"):
            raise ImportError(name)
        return found(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ReadError) as error:
        read_rows(path)
    assert 'pip install "multifidus[excel]"' in error.value.remedy


@pytest.mark.parametrize("start", [b"\xd0\xcf\x11\xe0rest", b"PK\x03\x04rest"])
def test_what_only_calls_itself_a_workbook_is_refused(tmp_path, start):
    (tmp_path / "t.xlsx").write_bytes(start)
    with pytest.raises(ReadError, match="workbook"):
        read_rows(tmp_path / "t.xlsx")


# --- who else reads tables -------------------------------------------------------------------


def test_a_label_scheme_may_be_saved_by_a_spreadsheet(tmp_path):
    text = "\ufeffValue;Structure;Side\r\n7.0;multifidus;left\r\n8;multifidus; right\r\n;;\r\n"
    plain_scheme = "value\tstructure\tside\n7\tmultifidus\tleft\n8\tmultifidus\tright\n"
    assert load_labels(str(save(tmp_path, text))) == load_labels(
        str(save(tmp_path, plain_scheme, "b.tsv"))
    )


def test_how_a_table_was_read_is_said(tmp_path):
    lines = ["subject;timepoint;rater;quantity;value"]
    lines += [f"{n};pre;{rater};tcsa_mm2;{n}{n}{n},5" for n in range(1, 6) for rater in "AB"]
    done = CliRunner().invoke(app, ["reliability", str(save(tmp_path, "\r\n".join(lines)))])
    assert done.exit_code == 0
    assert "t.csv: read as semicolon-separated, decimal commas." in done.stderr


def test_a_table_is_known_by_its_name(tmp_path):
    names = ("a.csv", "a.XLSX", "a.tsv", "a.nii.gz", "a.json")
    assert [is_table(tmp_path / name) for name in names] == [True, True, True, False, False]


def test_a_table_is_called_what_was_asked_for(tmp_path):
    with pytest.raises(ReadError, match="as a list of pears"):
        read_table(tmp_path / "gone.csv", ExpectedTable("a list of pears"))

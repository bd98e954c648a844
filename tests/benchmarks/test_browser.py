"""What a browser says of a page: benchmarks rely on it to find what is wrong with one."""

from __future__ import annotations

import pytest

from benchmarks.browser import chromium, pages_on_paper, see

pytestmark = pytest.mark.skipif(chromium() is None, reason="there is no Chromium")


def test_requests_errors_and_sections_of_a_page_are_seen(tmp_path):
    page = tmp_path / "page.html"
    page.write_text(
        '<h2 id="flow">x</h2><img src="http://example.invalid/x.png"><script>nothing();</script>'
    )
    seen = see(page)
    assert seen.requests == ("http://example.invalid/x.png",)
    assert "nothing is not defined" in seen.messages[0]
    assert "flow" in seen.ids


def test_a_page_that_asks_for_nothing_is_clean_and_sheets_of_paper_are_counted(tmp_path):
    page = tmp_path / "page.html"
    page.write_text('<p style="break-after: page">one</p><p id="two">two</p>')
    seen = see(page)
    assert (seen.requests, seen.messages) == ((), ())
    assert pages_on_paper(page) == 2

"""The sources that a report cites: entries of ``references.bib``, all articles in journals."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files

_FIELD = re.compile(r"^  (\w+) = \{\{?(.*?)\}?\},$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Reference:
    """An article: its key, and its entry in BibTeX."""

    key: str
    bibtex: str

    @property
    def fields(self) -> dict[str, str]:
        """The entry's fields by name."""
        return dict(_FIELD.findall(self.bibtex))

    @property
    def doi(self) -> str:
        """Empty where its publisher gave it none."""
        return self.fields.get("doi", "")

    def as_text(self) -> str:
        """Return it as a line of a list of references."""
        fields = self.fields
        names = fields["author"].replace(" and ", "; ").removesuffix(".")
        pages = fields["pages"].replace("--", "-")
        source = f"{fields['journal']} {fields['year']}; {fields['volume']}: {pages}"
        return f"{names}. {fields['title']}. {source}." + (f" doi:{self.doi}" if self.doi else "")


def _references() -> Mapping[str, Reference]:
    text = files("multifidus.reporting.text").joinpath("references.bib").read_text("utf-8")
    entries = text.strip().split("\n\n")
    keys = (entry[entry.index("{") + 1 : entry.index(",")] for entry in entries)
    return {key: Reference(key, entry) for key, entry in zip(keys, entries, strict=True)}


REFERENCES = _references()


def cited(keys: Iterable[str]) -> list[Reference]:
    """Return the named references once each, in the order in which they are named."""
    return [REFERENCES[key] for key in dict.fromkeys(keys)]


def as_bibtex(found: Iterable[Reference]) -> str:
    """Return a BibTeX file."""
    return "\n\n".join(item.bibtex for item in found) + "\n"

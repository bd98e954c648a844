"""The sources that a report cites, and their BibTeX."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reference:
    """An article in a journal; its DOI is empty where it has none of its publisher."""

    key: str
    authors: str
    title: str
    journal: str
    year: int
    volume: str
    pages: str
    doi: str

    def as_bibtex(self) -> str:
        """Return its BibTeX entry."""
        fields = {
            "author": self.authors,
            "title": f"{{{self.title}}}",
            "journal": self.journal,
            "year": str(self.year),
            "volume": self.volume,
            "pages": self.pages.replace("-", "--"),
            "doi": self.doi,
        }
        lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
        return "\n".join((f"@article{{{self.key},", *lines, "}"))

    def as_text(self) -> str:
        """Return it as a line of a list of references."""
        names = self.authors.replace(" and ", "; ").removesuffix(".")
        source = f"{self.journal} {self.year}; {self.volume}: {self.pages}"
        return f"{names}. {self.title}. {source}." + (f" doi:{self.doi}" if self.doi else "")


_ALL = (
    Reference(
        "bell2002",
        "Bell, Robert M. and McCaffrey, Daniel F.",
        "Bias reduction in standard errors for linear regression with multi-stage samples",
        "Survey Methodology", 2002, "28", "169-181", "",
    ),
    Reference(
        "berry2018",
        "Berry, David B. and Padwal, Jennifer and Johnson, Seth and Parra, Callan L. and "
        "Ward, Samuel R. and Shahidi, Bahar",
        "Methodological considerations in region of interest definitions for paraspinal muscles "
        "in axial MRIs of the lumbar spine",
        "BMC Musculoskeletal Disorders", 2018, "19", "135", "10.1186/s12891-018-2059-x",
    ),
    Reference(
        "blandaltman1986",
        "Bland, J. Martin and Altman, Douglas G.",
        "Statistical methods for assessing agreement between two methods of clinical measurement",
        "The Lancet", 1986, "327", "307-310", "10.1016/S0140-6736(86)90837-8",
    ),
    Reference(
        "carkeet2015",
        "Carkeet, Andrew",
        "Exact parametric confidence intervals for Bland-Altman limits of agreement",
        "Optometry and Vision Science", 2015, "92", "e71-e80", "10.1097/OPX.0000000000000513",
    ),
    Reference(
        "crawford2017",
        "Crawford, Rebecca J. and Cornwall, Jon and Abbott, Rebecca and Elliott, James M.",
        "Manually defining regions of interest when quantifying paravertebral muscles fatty "
        "infiltration from axial magnetic resonance imaging: a proposed method for the lumbar "
        "spine with anatomical cross-reference",
        "BMC Musculoskeletal Disorders", 2017, "18", "25", "10.1186/s12891-016-1378-z",
    ),
    Reference(
        "holm1979",
        "Holm, Sture",
        "A simple sequentially rejective multiple test procedure",
        "Scandinavian Journal of Statistics", 1979, "6", "65-70", "",
    ),
    Reference(
        "koo2016",
        "Koo, Terry K. and Li, Mae Y.",
        "A guideline of selecting and reporting intraclass correlation coefficients for "
        "reliability research",
        "Journal of Chiropractic Medicine", 2016, "15", "155-163", "10.1016/j.jcm.2016.02.012",
    ),
    Reference(
        "kottner2011",
        "Kottner, Jan and Audigé, Laurent and Brorson, Stig and Donner, Allan and "
        "Gajewski, Byron J. and Hróbjartsson, Asbjørn and Roberts, Chris and Shoukri, Mohamed and "
        "Streiner, David L.",
        "Guidelines for Reporting Reliability and Agreement Studies (GRRAS) were proposed",
        "Journal of Clinical Epidemiology", 2011, "64", "96-106", "10.1016/j.jclinepi.2010.03.002",
    ),
    Reference(
        "mcgraw1996",
        "McGraw, Kenneth O. and Wong, S. P.",
        "Forming inferences about some intraclass correlation coefficients",
        "Psychological Methods", 1996, "1", "30-46", "10.1037/1082-989X.1.1.30",
    ),
    Reference(
        "otsu1979",
        "Otsu, Nobuyuki",
        "A threshold selection method from gray-level histograms",
        "IEEE Transactions on Systems, Man, and Cybernetics", 1979, "9", "62-66",
        "10.1109/TSMC.1979.4310076",
    ),
    Reference(
        "patterson1971",
        "Patterson, H. D. and Thompson, R.",
        "Recovery of inter-block information when block sizes are unequal",
        "Biometrika", 1971, "58", "545-554", "10.1093/biomet/58.3.545",
    ),
    Reference(
        "pustejovsky2018",
        "Pustejovsky, James E. and Tipton, Elizabeth",
        "Small-sample methods for cluster-robust variance estimation and hypothesis testing in "
        "fixed effects models",
        "Journal of Business and Economic Statistics", 2018, "36", "672-683",
        "10.1080/07350015.2016.1247004",
    ),
    Reference(
        "shrout1979",
        "Shrout, Patrick E. and Fleiss, Joseph L.",
        "Intraclass correlations: uses in assessing rater reliability",
        "Psychological Bulletin", 1979, "86", "420-428", "10.1037/0033-2909.86.2.420",
    ),
    Reference(
        "tustison2010",
        "Tustison, Nicholas J. and Avants, Brian B. and Cook, Philip A. and Zheng, Yuanjie and "
        "Egan, Alexander and Yushkevich, Paul A. and Gee, James C.",
        "N4ITK: improved N3 bias correction",
        "IEEE Transactions on Medical Imaging", 2010, "29", "1310-1320",
        "10.1109/TMI.2010.2046908",
    ),
    Reference(
        "weerahandi1993",
        "Weerahandi, Samaradasa",
        "Generalized confidence intervals",
        "Journal of the American Statistical Association", 1993, "88", "899-905",
        "10.1080/01621459.1993.10476355",
    ),
)  # fmt: skip

REFERENCES = {item.key: item for item in _ALL}


def cited(keys: Iterable[str]) -> list[Reference]:
    """Return the named references once each, in the order in which they are named."""
    return [REFERENCES[key] for key in dict.fromkeys(keys)]


def as_bibtex(found: Iterable[Reference]) -> str:
    """Return a BibTeX file."""
    return "\n\n".join(item.as_bibtex() for item in found) + "\n"

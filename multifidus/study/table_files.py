"""Names of the files of tables that are written where they are asked for."""

from __future__ import annotations

from enum import StrEnum


class FurtherTable(StrEnum):
    """A table that is written where it is asked for."""

    WIDE = "wide"
    PARQUET = "parquet"
    REDCAP = "redcap"
    BIDS = "bids"


PARQUET = "measurements.parquet"
WIDE = "wide.csv"
REDCAP = ("redcap/import.csv", "redcap/data_dictionary.csv")
BIDS = ("phenotype/multifidus.tsv", "phenotype/multifidus.json")

FILES = {
    FurtherTable.WIDE: (WIDE,),
    FurtherTable.PARQUET: (PARQUET,),
    FurtherTable.REDCAP: REDCAP,
    FurtherTable.BIDS: BIDS,
}
"""Files of each, below the results folder."""

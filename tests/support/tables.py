"""Plain rows as somebody may type them, put together as a table that was read would be."""

from multifidus.io.measurements_csv import measurement_rows
from multifidus.stats import study_table


def measurements(records):
    """Return the measurements that plain rows, columns by name, say."""
    return measurement_rows([*records]).rows


def values_of(records, *protocol, **how):
    """Return the values of plain rows."""
    table = measurement_rows([*records], how.pop("lines", ()))
    return study_table.values_of(table.rows, *protocol, lines=table.lines, **how)

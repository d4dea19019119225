"""What the tables of the ledger are made of: one collection, and the few kinds of index they use."""

from sqlalchemy import BigInteger, Index, Integer, MetaData, text

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pk",
        "ix": "%(table_name)s_by_%(column_0_N_name)s",
        "uq": "%(table_name)s_one_%(column_0_N_name)s",
    }
)

# On SQLite only INTEGER names the row itself; anything else costs a second tree.
Number = BigInteger().with_variant(Integer(), "sqlite")


def index_where(name: str, *columns: str, condition: str) -> Index:
    """An index over the few rows that are ever looked for."""
    only = text(condition)
    return Index(name, *columns, sqlite_where=only, postgresql_where=only)


def where_set(name: str, column: str) -> Index:
    """An index over the rows that have a value at all."""
    return index_where(name, column, condition=f"{column} IS NOT NULL")

"""Every test of the ledger runs on SQLite and on PostgreSQL."""

from tests.support.ledgers import ledger, ledger_url, postgres

__all__ = ["ledger", "ledger_url", "postgres"]

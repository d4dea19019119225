"""The authoritative ledger: permissions, mirrors, planned writes and the audit, in SQLite or PostgreSQL."""

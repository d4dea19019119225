"""The bridge between a Salesforce org and an authoritative ledger of permissions."""

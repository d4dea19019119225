"""A small honest Salesforce for demo, rehearsal and tests; it imports nothing else of the bridge."""

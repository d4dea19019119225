"""The Salesforce side: the only package that speaks HTTP to an org."""

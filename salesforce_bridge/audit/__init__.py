"""The proof: canonical entries, sealed into a chain, and verdicts on a chain that is read again; pure."""

"""The law: lawful bases, state machines, evidence, gates and policy, as pure functions over data."""

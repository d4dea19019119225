"""A pytest plugin for `make laws`: look for counterexamples much longer than an everyday run can."""

from hypothesis import settings

settings.register_profile("laws", max_examples=5_000, deadline=None)
settings.load_profile("laws")

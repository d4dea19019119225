"""A pytest plugin for `make mutants`: a counterexample is enough there, nobody reads the shortest one."""

from hypothesis import Phase, settings

settings.register_profile(
    "mutants",
    derandomize=True,
    deadline=None,
    max_examples=30,
    phases=(Phase.explicit, Phase.generate),
)
settings.load_profile("mutants")

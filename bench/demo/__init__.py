"""A lived-in ledger: a made-up shop's week of runs, with everything that can happen to one. See ``livedin``."""

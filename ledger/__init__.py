"""What every process must agree on: the runs, who works on them, and what became of them.

The ledger is the truth; brokers only carry hints. This package imports nothing of ours, and it is the only
one that speaks SQL. Functions that take a ``Connection`` are one guarded step of a transaction which the
caller (or the writer thread) commits.
"""

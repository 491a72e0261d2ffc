"""The fault suite: what breaks in the world, done on purpose to real processes and servers, and what must hold then.

``python -m tests.faults`` runs it and prints a table; ``docs/faults.md`` tells what each fault is about.
"""

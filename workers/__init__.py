"""The processes that execute runs, and the words they exchange with brokers.

``python -m workers`` is the supervisor; each of its children is one worker process. Dramatiq and pika are
spoken here and nowhere else (besides job modules).
"""
